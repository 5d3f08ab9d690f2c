import { UnusableSettings } from "../adapters/settings.ts";
import { UnusableDatabase } from "../adapters/sqlite/storage.ts";

/** Ends a script with a message for the person who started it, without a stack. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** Writes a line to standard error, which leaves standard output to results. */
export const say = (line: string): void => void process.stderr.write(`${line}\n`);

const isExpected = (error: unknown): error is Error =>
  error instanceof Refused || error instanceof UnusableSettings || error instanceof UnusableDatabase;

/** Runs a script. A refusal is printed and ends it with status 1; any other error is a defect and keeps its stack. */
export async function runScript(script: () => Promise<void>): Promise<void> {
  try {
    await script();
  } catch (error) {
    if (!isExpected(error)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}

/** Reads command-line options; what `parse` throws is printed with the help. */
export function parsedOptions<T>(parse: () => T, help: string): T {
  try {
    return parse();
  } catch (error) {
    throw new Refused(`${error instanceof Error ? error.message : error}\n\n${help}`);
  }
}
