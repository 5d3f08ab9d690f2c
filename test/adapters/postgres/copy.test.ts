import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { messageKey } from "../../../domain/events/message-id.ts";
import type { Experiment } from "../../../domain/experiments/experiment.ts";
import type { SavedQuestion } from "../../../domain/reports/saved-question.ts";
import type { ShareLink } from "../../../domain/shares/share-link.ts";
import { DAY } from "../../../domain/time.ts";
import { AT, eventAt } from "../question-stories/asked.ts";
import { expectAlike, fillWithSample, shownOf } from "./sample.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

const script = fileURLToPath(new URL("../../../scripts/run.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "analytics-copy-"));
const file = join(folder, "analytics.db");
const SAVED: SavedQuestion = {
  question_id: "saved-1",
  name: "Clicks",
  pinned: true,
  question: { report: "trend", range: "this_week", query: { event_type: ["click"] } },
  created_at: Date.parse("2026-11-22T10:00:00.000Z"),
};
const SHARE: ShareLink = {
  share_id: "share-1",
  digest: "d".repeat(64),
  page: { view: "trend", query: { event_type: "click" }, range: "last_week" },
  name: null,
  created_at: Date.parse("2026-11-22T10:00:00.123Z"),
  expires_at: null,
};
let server: PostgresServer;
let experiment: Experiment;

beforeAll(async () => {
  server = await startPostgres(bundledPostgres(), { fsync: "off" });
  const storage = openSqlite(file);
  experiment = await fillWithSample(storage);
  await storage.putSavedQuestion(() => SAVED);
  await storage.addShare(SHARE);
  await storage.close();
});
afterAll(async () => {
  await server.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the copy; where `until` is said, it is killed as soon as it says that. */
async function copy(args: readonly string[], until?: RegExp, variables: Record<string, string> = {}) {
  const child = spawn(process.execPath, [script, "copy", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...variables },
  });
  let out = "";
  let progress = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    progress += chunk;
    if (until?.test(progress)) child.kill("SIGKILL");
  });
  const [code] = await once(child, "close");
  return { code, out, progress };
}

test("counts of expired events are copied, which nothing could compute again", async () => {
  const expired = join(folder, "expired.db");
  const before = openSqlite(expired);
  await before.appendEvents([eventAt(0, "view"), eventAt(40, "buy"), eventAt(41, "buy")]);
  await before.close();
  const keeping = { days: 1, byType: {}, counts: true };
  const source = openSqlite(expired, { keeping, now: () => AT + 9 * DAY });
  await expect.poll(async () => (await source.check()).expiry?.pending, { timeout: 20_000 }).toBe(false);
  const types = await source.eventTypes();
  await source.close();
  const to = await server.newDatabase();
  expect((await copy(["--from", expired, "--to", to])).code).toBe(0);
  const target = await openPostgres(to);
  expect(await target.eventTypes()).toEqual(types);
  expect(types.value.map(({ counts_only }) => counts_only)).toEqual([2, 1]);
  await target.close();
});

test("a copy that was interrupted goes on, ends with every row the same, and leaves a server that goes on too", async () => {
  const to = await server.newDatabase();
  const args = ["--from", file, "--to", to];
  expect((await copy(args, /% {2}ab_metrics\b/)).code).toBeNull();
  const { code, out, progress } = await copy(args);
  expect([code, out]).toEqual([0, expect.stringMatching(/^Copied \d+ rows and compared each of them/)]);
  expect(progress).toContain("100 %  events, checked");

  const [source, target] = [openSqlite(file), await openPostgres(to)];
  expect(await target.findExperiment(experiment.id)).toEqual(experiment);
  expect(await target.listSavedQuestions()).toEqual([SAVED]);
  expect(await target.findShare(SHARE.digest)).toEqual(SHARE);
  // The server makes the sums and the rollups of the copied rows in the background.
  const client = new pg.Client({ connectionString: to });
  await client.connect();
  const backlog = async () => (await client.query("select from ab_tally_backlog")).rowCount;
  await expect.poll(backlog, { timeout: 20_000 }).toBe(0);
  await client.end();
  await expect.poll(async () => (await target.check()).rebuild, { timeout: 20_000 }).toBeUndefined();
  const types = await target.eventTypes({ verify: true });
  expect(types).toEqual({ source: "rollup", value: types.recomputed, recomputed: types.recomputed });
  expectAlike(await shownOf(target, experiment), await shownOf(source, experiment));

  // Whatever is stored afterwards, on either, is stored alike.
  const value = {
    user_id: "user-7",
    metric_name: "revenue",
    value: 12.5,
    created_at: experiment.created_at,
    occurred_at: experiment.created_at + 30 * 86_400_000,
    message_key: null,
  };
  const known = { ...value, message_key: messageKey("m1") };
  for (const storage of [source, target]) {
    const [stored, duplicate] = await storage.appendMetrics(experiment.id, [value, known]);
    expect([stored, duplicate]).toMatchObject([{ duplicate: false }, { duplicate: true }]);
  }
  expectAlike(await shownOf(target, experiment), await shownOf(source, experiment));
  await Promise.all([source.close(), target.close()]);
});

test("a copy into a database that holds something is refused, and changes nothing", async () => {
  const to = await server.newDatabase();
  const storage = await openPostgres(to);
  await fillWithSample(storage);
  const { code, progress } = await copy(["--from", file, "--to", to]);
  expect([code, progress]).toEqual([1, expect.stringContaining("not empty")]);
  expect(await storage.listExperiments({ limit: 9 })).toHaveLength(1);
  await storage.close();
});

test("a file that is not there is named", async () => {
  const { code, progress } = await copy(["--from", "none.db", "--to", await server.newDatabase()]);
  expect([code, progress]).toEqual([1, "There is no file none.db.\n"]);
});

test("a copy checks who has signed the server's certificate as the server itself does", async () => {
  const args = ["--from", file, "--to", await server.newDatabase()];
  const { code, progress } = await copy(args, undefined, { ANALYTICS_DATABASE_CA: "none.pem" });
  expect([code, progress]).toEqual([
    1,
    expect.stringContaining("ANALYTICS_DATABASE_CA: must be certificates"),
  ]);
});

test("a copy that is not told from where and to where says how to", async () => {
  const { code, progress } = await copy([]);
  expect([code, progress]).toEqual([
    1,
    expect.stringContaining("analytics-server copy --from <file> --to postgres://"),
  ]);
});
