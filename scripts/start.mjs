// Runs `serverless offline start` in this process, so that signals reach it. The messages of the emulator, more than a
// hundred lines at the start and several per request, are shown only at the log level debug.
const isDebug = process.env.ANALYTICS_LOG_LEVEL === "debug";
process.env.SLS_LOG_LEVEL ??= isDebug ? "notice" : "error";
process.argv.splice(2, 0, "offline", "start");
await import("serverless/bin/serverless.js");
