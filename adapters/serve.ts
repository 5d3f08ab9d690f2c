import { startServer } from "./server.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  const { url, stop } = await startServer();
  say(`Analytics Server listens on ${url} (press Ctrl+C to stop)`);
  let stopping = false;
  const end = async (): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    await stop();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
} catch (error) {
  process.stderr.write(`Analytics Server did not start: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
