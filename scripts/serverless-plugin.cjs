const { join } = require("node:path");
const { pathToFileURL } = require("node:url");

const DEFAULT_PORT = 20000;

/**
 * Builds the bundles before anything is served, packaged or deployed, so that they are never stale. Opens the analytics
 * server before the first request, so that a wrong setting stops the start instead of failing a request.
 */
module.exports = class AnalyticsServerPlugin {
  constructor(serverless, options) {
    this.serverless = serverless;
    this.options = options;
    const build = () => this.build();
    const open = () => this.open();
    const openQuietly = async () => {
      await this.open();
      this.hush();
    };
    const sayStarted = () => this.sayStarted();
    const close = () => this.close();
    this.hooks = {
      "before:package:initialize": build,
      "before:deploy:function:initialize": build,
      "before:offline:start:init": openQuietly,
      "after:offline:start:init": sayStarted,
      "before:offline:start": open,
      "before:offline:start:end": close,
    };
  }

  async build() {
    const { buildAll } = await import(pathToFileURL(join(__dirname, "build.mjs")).href);
    await buildAll();
  }

  async open() {
    await this.build();
    const emulator = this.serverless.service.custom["serverless-offline"];
    // The settings that the server checks are those that serverless-offline listens with.
    process.env.IS_OFFLINE = "true";
    process.env.ANALYTICS_HOST = this.options.host ?? process.env.ANALYTICS_HOST ?? emulator.host;
    process.env.ANALYTICS_PORT = this.options.httpPort ?? process.env.ANALYTICS_PORT ?? String(DEFAULT_PORT);
    const bundle = pathToFileURL(join(this.serverless.config.servicePath, "dist/offline.mjs")).href;
    try {
      this.analytics = await import(bundle);
      const { host, port } = this.analytics.listenSettings;
      this.listening = { host, port: await this.analytics.freePort(host, port) };
    } catch (error) {
      await this.close();
      process.stderr.write(`Analytics Server did not start: ${error.message}\n`);
      process.exit(1);
    }
    emulator.host = this.listening.host;
    emulator.httpPort = this.listening.port;
    delete this.options.httpPort;
    // A terminal that is closed ends the server as Ctrl+C does.
    process.once("SIGHUP", () => process.emit("SIGTERM"));
  }

  /** Keeps the emulator's table of routes off standard output, where the log is. */
  hush() {
    if (process.env.ANALYTICS_LOG_LEVEL === "debug") return;
    const { log } = console;
    console.log = () => {};
    this.unhush = () => {
      console.log = log;
    };
  }

  sayStarted() {
    this.unhush?.();
    const { host, port } = this.listening;
    process.stdout.write(`${this.analytics.startedLine(host, port)}\n`);
  }

  async close() {
    await this.analytics?.close();
  }
};
