import { setFlagsFromString } from "node:v8";
import { outliveOutput } from "./closed-output.ts";
import { refusalLine, startLine } from "./listening.ts";
import { startServer } from "./server.ts";

outliveOutput();

// The heap of each thread may grow to twice what is in use before all of it is collected. Without this a machine with much
// memory allows four times as much, most of it garbage. V8 reads the flag whenever it sets the next limit.
setFlagsFromString("--heap-growing-percent=100");

try {
  const { url, isOpen, stop } = await startServer();
  process.stdout.write(`${startLine(url, isOpen)}\n`);
  let stopping = false;
  const end = async (): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    await stop();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
} catch (error) {
  process.stderr.write(`${refusalLine(error)}\n`);
  process.exitCode = 1;
}
