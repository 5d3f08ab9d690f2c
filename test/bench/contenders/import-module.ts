// Imports a module, as Lambda does at a cold start, and prints how long that took.
const [module = ""] = process.argv.slice(2);
const before = process.cpuUsage();
const startedAt = performance.now();
await import(module);
const milliseconds = performance.now() - startedAt;
const { user, system } = process.cpuUsage(before);
process.stdout.write(`imported in ${milliseconds} ms, ${user + system} µs of processor time\n`, () =>
  process.exit(),
);
