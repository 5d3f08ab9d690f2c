import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { hasBrowser } from "../web/browser.ts";
import { launchBrowser } from "../web/launch.ts";
import { offlineServer, openFolder, type TestServer } from "./servers.ts";

/** A command of the README with the output shown below it, or lines for a page. */
interface Line {
  readonly command: string;
  readonly printed: string;
}

/** The commands of a block. In a console block they begin with a dollar sign, and their output follows. */
function linesOf(kind: string, block: string): Line[] {
  if (kind === "html") return [{ command: block, printed: "" }];
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
// All of them, in the order of the README.
const lines = [...readme.matchAll(/^```(sh|console|html)\n([\s\S]*?)^```$/gm)].flatMap(
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

/** Opens a page of another origin that has the lines in its head. */
async function openPage(html: string): Promise<void> {
  if (!hasBrowser) return;
  const head = html.replaceAll("http://127.0.0.1:20000", new URL(running().url).origin);
  const site = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html><title>Plants</title>${head}<h1>Plants</h1>`);
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    const faults: Error[] = [];
    page.on("pageerror", (error) => faults.push(error));
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/plants`, {
      waitUntil: "networkidle",
    });
    expect(faults).toEqual([]);
    if (html.includes("data-page-views")) await expectInDashboard(page);
  } finally {
    await browser.close();
    site.close();
  }
}

/** The README promises the page in the dashboard within seconds. */
async function expectInDashboard(page: Page): Promise<void> {
  await page.goto(running().url);
  await page.getByText("/plants").first().waitFor();
}

function running(): TestServer {
  if (server === undefined) throw new Error("The README uses a server before it starts one.");
  return server;
}

async function curl(command: string): Promise<string> {
  const here = command.replaceAll("localhost:20000", new URL(running().url).host);
  return (await promisify(execFile)("bash", ["-o", "pipefail", "-c", here])).stdout;
}

test("the README begins with the start, an event, a line for a page and an experiment", () => {
  const kinds = lines.map(({ command }) => command.split(" ")[0]?.trim());
  expect(kinds.slice(0, 5)).toEqual(["npm", "curl", "<script", "<script", "curl"]);
  expect(kinds.filter((kind) => kind === "curl").length).toBeGreaterThanOrEqual(7);
});

// The demo takes a minute while other programs keep the machine busy.
const PATIENT = { timeout: 300_000 };

test.for(lines)(
  "the README does and prints what it says: $command",
  PATIENT,
  async ({ command, printed }) => {
    if (/npm start$/.test(command)) await start(command);
    else if (command.startsWith("npm run demo ")) await fillDemo(command);
    else if (command.startsWith("<")) await openPage(command);
    else expect(masked(await curl(command))).toBe(masked(printed));
  },
);

test("the last server of the README has the experiments of the demo", async () => {
  const answer = await fetch(new URL("/apiv1/ab-tests/1", server?.url));
  expect(await answer.json()).toMatchObject({ id: 1, test_name: "signup_button_color" });
});
