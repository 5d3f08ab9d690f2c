import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { offlineServer, openFolder, type TestServer } from "./servers.ts";

/** A command of the README, and the output shown below it. */
interface Line {
  readonly command: string;
  readonly printed: string;
}

/** The commands of a block. In a console block they begin with a dollar sign, and their output follows. */
function linesOf(kind: string, block: string): Line[] {
  const lines: { command: string; printed: string }[] = [];
  for (const line of block.trimEnd().split("\n")) {
    const last = lines.at(-1);
    if (kind === "sh") lines.push({ command: line, printed: "" });
    else if (line.startsWith("$ ")) lines.push({ command: line.slice(2), printed: "" });
    else if (last !== undefined) last.printed += `${line}\n`;
  }
  return lines;
}

const readme = readFileSync(join(inject("project"), "README.md"), "utf8");
// All commands, in the order of the page.
const lines = [...readme.matchAll(/^```(sh|console)\n([\s\S]*?)^```$/gm)].flatMap(
  ([, kind = "", block = ""]) => linesOf(kind, block),
);

/**
 * Masks the parts of the output that differ between runs: the time, and the variant of the user. The summary is about
 * the control, which has one user or none.
 */
const masked = (printed: string): string =>
  printed
    .replace(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/g, '"<time>"')
    .replace(/"variant":"(?:red|blue)"/g, '"variant":"<red or blue>"')
    .replace(/"value":"(?:red|blue)","assigned_at"/g, '"value":"<red or blue>","assigned_at"')
    .replace(/"variant_id":[12]\b/g, '"variant_id":<1 or 2>')
    .replace(/“red” has (?:0 users|1 user) /g, "“red” has <0 or 1> ")
    .trim();

let folder: string;
let remove: () => Promise<void>;
let server: TestServer | undefined;

beforeAll(async () => {
  ({ folder, remove } = await openFolder());
});

afterAll(async () => {
  await server?.stop();
  await remove();
});

const fileOf = (name: string | undefined): string =>
  join(folder, (name ?? "data/analytics.db").replaceAll("/", "-"));

/** Runs `npm start` with the database of the command. Stops a running server first, because the port is the same. */
async function start(command: string): Promise<void> {
  await server?.stop();
  const [, database] = /ANALYTICS_DATABASE=(\S+)/.exec(command) ?? [];
  server = await offlineServer.start(folder, { ANALYTICS_DATABASE: fileOf(database) });
}

async function fillDemo(command: string): Promise<void> {
  const [, database] = /--database (\S+)/.exec(command) ?? [];
  const script = join(inject("project"), "scripts/run.mjs");
  await promisify(execFile)(process.execPath, [script, "demo", "--database", fileOf(database)], {
    cwd: folder,
  });
}

async function curl(command: string): Promise<string> {
  if (server === undefined) throw new Error("The README sends a request before it starts a server.");
  const here = command.replaceAll("localhost:20000", new URL(server.url).host);
  return (await promisify(execFile)("bash", ["-o", "pipefail", "-c", here])).stdout;
}

test("the README contains commands", () => {
  const kinds = lines.map(({ command }) => command.split(" ")[0]);
  expect(kinds.filter((kind) => kind === "curl").length).toBeGreaterThanOrEqual(7);
});

test.each(lines)("the README command $command prints the shown output", async ({ command, printed }) => {
  if (/npm start$/.test(command)) await start(command);
  else if (command.startsWith("npm run demo ")) await fillDemo(command);
  else expect(masked(await curl(command))).toBe(masked(printed));
});

test("the last server of the README has the experiments of the demo", async () => {
  const answer = await fetch(new URL("/apiv1/ab-tests/1", server?.url));
  expect(await answer.json()).toMatchObject({ id: 1, test_name: "signup_button_color" });
});
