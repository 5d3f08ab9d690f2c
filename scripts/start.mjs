// `serverless offline start` in this process, so that signals reach it. The emulator's own messages, more than a hundred lines
// at the start and some with each request, are shown at the log level debug alone.
const isDebug = process.env.ANALYTICS_LOG_LEVEL === "debug";
process.env.SLS_LOG_LEVEL ??= isDebug ? "notice" : "error";
process.argv.splice(2, 0, "offline", "start");
await import("serverless/bin/serverless.js");
