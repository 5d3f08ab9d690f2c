import { outliveOutput } from "./closed-output.ts";
import { refusalLine, startLine } from "./listening.ts";
import { startServer } from "./server.ts";

outliveOutput();
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
