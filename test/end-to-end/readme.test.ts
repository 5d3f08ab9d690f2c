import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { offlineServer, openFolder, type TestServer } from "./servers.ts";

/** A line that the README types, and what it says is printed then. */
interface Line {
  readonly command: string;
  readonly printed: string;
}

function linesOf(block: string): Line[] {
  const lines: { command: string; printed: string }[] = [];
  for (const line of block.split("\n")) {
    const last = lines.at(-1);
    if (line.startsWith("$ ")) lines.push({ command: line.slice(2), printed: "" });
    else if (last !== undefined) last.printed += `${line}\n`;
  }
  return lines;
}

const readme = readFileSync(join(inject("project"), "README.md"), "utf8");
const lines = [...readme.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) =>
  linesOf(block),
);

/**
 * Without what differs each time: the time, and which of the two variants the user has, as the README says. The summary
 * speaks of the control, which has the one user or none.
 */
const masked = (printed: string): string =>
  printed
    .replace(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/g, '"<time>"')
    .replace(/"variant":"(?:red|blue)"/g, '"variant":"<red or blue>"')
    .replace(/"variant_id":[12]\b/g, '"variant_id":<1 or 2>')
    .replace(/“red” has (?:0 users|1 user) /g, "“red” has <0 or 1> ")
    .trim();

let server: TestServer;
let remove: () => Promise<void>;

beforeAll(async () => {
  const opened = await openFolder();
  remove = opened.remove;
  server = await offlineServer.start(opened.folder);
});

afterAll(async () => {
  await server?.stop();
  await remove?.();
});

test("there are lines to try", () => {
  expect(lines.length).toBeGreaterThanOrEqual(7);
  expect(lines.every(({ command }) => command.includes("localhost:20000"))).toBe(true);
});

test.each(lines)("what the README says is printed after $command", async ({ command, printed }) => {
  const here = command.replaceAll("localhost:20000", new URL(server.url).host);
  const { stdout } = await promisify(execFile)("bash", ["-o", "pipefail", "-c", here]);
  expect(masked(stdout)).toBe(masked(printed));
});
