#!/usr/bin/env node
import { closest } from "fastest-levenshtein";
import { outliveOutput } from "../adapters/closed-output.ts";
import packageJson from "../package.json" with { type: "json" };
import { Refused, say } from "./commands/command.ts";
import { COMMANDS } from "./commands/commands.ts";

const NAME_WIDTH = 10;

async function overview(): Promise<string> {
  const lines = Object.entries(COMMANDS).map(async ([name, load]) => {
    const { command } = await load();
    return `  ${name.padEnd(NAME_WIDTH)}${command.summary}`;
  });
  return [
    "analytics-server [command] [options]",
    "",
    "  Records what users do, and shows which variant of a feature does better. Without a command it serves.",
    "",
    ...(await Promise.all(lines)),
    "",
    "  <command> --help describes a command, --version prints the version.",
  ].join("\n");
}

function commandOf(name: string) {
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load !== undefined) return load;
  const nearest = closest(name, Object.keys(COMMANDS));
  throw new Refused(
    `There is no command ${name}. Did you mean ${nearest}? analytics-server --help lists all.`,
  );
}

async function run([first = "serve", ...rest]: readonly string[]): Promise<void> {
  if (first === "--version" || first === "-v") return void process.stdout.write(`${packageJson.version}\n`);
  if (first === "--help" || first === "-h") return void process.stdout.write(`${await overview()}\n`);
  // Options without a command are those of the server.
  const [name, args] = first.startsWith("-") ? ["serve", [first, ...rest]] : [first, rest];
  const { command } = await commandOf(name)();
  await command.run(args);
}

outliveOutput();
try {
  await run(process.argv.slice(2));
} catch (error) {
  const { isExpected } = await import("./commands/expected-errors.ts");
  if (!isExpected(error)) throw error;
  say(error.message);
  process.exitCode = 1;
}
