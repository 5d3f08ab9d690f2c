const { join } = require("node:path");
const { pathToFileURL } = require("node:url");

/**
 * Builds the bundle before anything is served, packaged or deployed, so that nobody does so with a stale one, and
 * opens the server before the first request, so that a wrong setting stops the start instead of failing the request.
 */
module.exports = class AnalyticsServerPlugin {
  constructor(serverless, options) {
    this.serverless = serverless;
    this.options = options;
    const build = () => this.build();
    const open = () => this.open();
    const close = () => this.close();
    this.hooks = {
      "before:package:initialize": build,
      "before:deploy:function:initialize": build,
      "before:offline:start:init": open,
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
    const settings = this.serverless.service.custom["serverless-offline"];
    // What the server checks is what serverless-offline will listen on.
    process.env.IS_OFFLINE = "true";
    process.env.ANALYTICS_HOST = this.options.host ?? process.env.ANALYTICS_HOST ?? settings.host;
    settings.host = process.env.ANALYTICS_HOST;
    settings.httpPort = Number(process.env.ANALYTICS_PORT ?? settings.httpPort);
    const bundle = pathToFileURL(join(this.serverless.config.servicePath, "dist/lambda.mjs")).href;
    try {
      this.analytics = await import(bundle);
    } catch (error) {
      throw new this.serverless.classes.Error(`Analytics Server did not start: ${error.message}`);
    }
  }

  async close() {
    await this.analytics?.close();
  }
};
