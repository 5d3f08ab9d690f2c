import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Sqlite from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import { openPostgres } from "../../adapters/postgres/storage.ts";
import { openSqlite } from "../../adapters/sqlite/storage.ts";
import type { Storage } from "../../domain/storage.ts";
import { bundledPostgres, startPostgres } from "../adapters/postgres/server.ts";
import { openEdge } from "../world.ts";

const script = fileURLToPath(new URL("../../scripts/run.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "analytics-demo-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the demo in the folder, with these settings only. */
const demo = (args: readonly string[], variables: Record<string, string> = {}): Promise<Run> =>
  new Promise((resolve) => {
    const { PATH, HOME } = process.env;
    const child = execFile(
      process.execPath,
      [script, "demo", ...args],
      { cwd: folder, env: { PATH, HOME, ...variables } },
      (_, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });

const SMALL = ["--events", "3000", "--users", "160"];

const TENTHS = /^(?:\d0 % {2}events\n)+100 % {2}events\n$/;

/** The event types and experiments of a storage. */
async function contents(storage: Storage) {
  const types = (await storage.eventTypes()).value;
  const experiments = await storage.listExperiments({ limit: 9 });
  await storage.close();
  return { types, experiments };
}

/** Converts a printed curl command to a request. */
function requestOf(line: string) {
  const [, url = "", body] = /curl -s '?localhost:20000([^' ]+)'?(?:.* -d '(.+)')?$/.exec(line) ?? [];
  const headers: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
  return { method: body === undefined ? "GET" : "POST", path: url, headers, body };
}

test("an empty file is filled, and every printed command works", async () => {
  const file = join(folder, "filled.db");
  const { code, out, err } = await demo([...SMALL, "--database", file]);
  expect([code, err]).toEqual([0, expect.stringMatching(TENTHS)]);
  expect(out).toMatch(
    /^Made [23],\d{3} events of 1\d\d users in 90 days, and the A\/B tests signup_button_color \(1\)/,
  );
  expect(out).toContain(`ANALYTICS_DATABASE='${file}' analytics-server`);

  // The first look at the dashboard need not wait for rollups.
  const db = new Sqlite(file, { readonly: true });
  const unbuilt = db.prepare("select max(id) - (select through from event_rollup) from events").pluck();
  expect(unbuilt.get()).toBe(0);
  db.close();

  const storage = openSqlite(file);
  const edge = openEdge({}, { storage, now: Date.now });
  const lines = out.split("\n").filter((line) => line.includes("curl"));
  const answers = [];
  for (const line of lines) answers.push(await edge.send(requestOf(line)));
  expect(answers).toMatchObject([
    {
      status: 200,
      body: { series: expect.arrayContaining([expect.objectContaining({ event_type: "purchase" })]) },
    },
    { status: 200, body: { steps: [{ rate_from_start: 1 }, {}, {}, {}] } },
    {
      status: 200,
      body: { cohorts: expect.arrayContaining([expect.objectContaining({ users: expect.any(Number) })]) },
    },
    { status: 200, body: { test_name: "signup_button_color" } },
    { status: 200, body: { test_name: "free_shipping_banner" } },
  ]);
  await storage.close();
});

test("a database that is not empty is refused and stays unchanged", async () => {
  const file = join(folder, "held.db");
  await demo([...SMALL, "--database", file]);
  const before = await contents(openSqlite(file));
  const { code, out, err } = await demo(["--seed", "2"], { ANALYTICS_DATABASE: file });
  expect([code, out, err]).toEqual([
    1,
    "",
    `${file} already contains events or A/B tests, and was not changed. Name a new file: analytics-server demo --database data/demo.db\n`,
  ]);
  expect(await contents(openSqlite(file))).toEqual(before);
});

test("PostgreSQL is filled too, and its password is not printed", async () => {
  const server = await startPostgres(bundledPostgres(), { fsync: "off" });
  try {
    const url = new URL(await server.newDatabase());
    url.password = "secret";
    const { code, out, err } = await demo([...SMALL, "--database", url.href]);
    expect([code, err]).toEqual([0, expect.stringMatching(TENTHS)]);
    expect(out).not.toContain("secret");
    const { types, experiments } = await contents(await openPostgres(url.href));
    expect(types.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(2_000);
    expect(experiments).toHaveLength(2);
  } finally {
    await server.remove();
  }
});

test.each([
  [["--events", "many"], "--events must be a whole number from 1000 to 1000000000\n"],
  [["--events", "10"], "--events must be a whole number from 1000 to 1000000000\n"],
  [["--seed", "-1"], /--seed/],
  [
    ["--events", "2000", "--users", "1000"],
    "--users must leave each of them 6 events or more: ask for fewer users, or for more events\n",
  ],
  [["--event", "2000"], /Unknown option '--event'/],
])("%j is refused with instructions, and creates no file", async (args, said) => {
  const before = readdirSync(folder);
  const { code, out, err } = await demo(args);
  expect([code, out, err]).toEqual([1, "", typeof said === "string" ? said : expect.stringMatching(said)]);
  expect(readdirSync(folder)).toEqual(before);
});

test("--help lists every option and creates no file", async () => {
  const before = readdirSync(folder);
  const { code, out } = await demo(["--help"]);
  expect(code).toBe(0);
  expect([...out.matchAll(/^ {2}(--\w+)/gm)].map(([, option]) => option)).toEqual([
    "--events",
    "--users",
    "--seed",
    "--database",
  ]);
  expect(readdirSync(folder)).toEqual(before);
});
