import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import Sqlite from "better-sqlite3";
import { afterAll, expect, inject, onTestFinished, test } from "vitest";
import { createLogPause } from "../../../adapters/sqlite/reports/log-pause.ts";
import { createThreads } from "../../../adapters/sqlite/reports/threads.ts";
import { openSqlite, type SqliteOptions } from "../../../adapters/sqlite/storage.ts";
import type { NewEvent } from "../../../domain/events/event.ts";
import type { TrendQuestion } from "../../../domain/reports/trend.ts";
import type { Storage } from "../../../domain/storage.ts";
import { DAY } from "../../../domain/time.ts";
import { refusalOf } from "../../world.ts";
import { questionContract } from "../question-contract.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-threads-"));
afterAll(() => rmSync(folder, { recursive: true }));

const threadScript = pathToFileURL(join(inject("project"), "dist/sqlite-thread.mjs"));

let files = 0;
const newFile = (): string => {
  files += 1;
  return join(folder, `${files}.db`);
};

const openOnThreads = (file: string, options: SqliteOptions = {}): Storage =>
  openSqlite(file, { threadScript, ...options });

questionContract("SQLite on threads", async () => openOnThreads(newFile()), { runs: 1 });

function opened(file: string, options?: SqliteOptions): Storage {
  const storage = openOnThreads(file, options);
  onTestFinished(() => storage.close());
  return storage;
}

const eventAt = (occurred_at: number): NewEvent => ({
  event_type: "click",
  user_id: `user-${occurred_at % 100}`,
  session_id: "s",
  properties: JSON.stringify({ plan: occurred_at % 2 === 0 ? "pro" : "free", page: "home" }),
  created_at: DAY,
  occurred_at,
  message_key: null,
});

const EVENTS = 30_000;

async function fill(storage: Storage): Promise<void> {
  const events = Array.from({ length: EVENTS }, (_, index) => eventAt(index));
  for (let from = 0; from < EVENTS; from += 2_000)
    await storage.appendEvents(events.slice(from, from + 2_000));
}

/** Not in the rollups: it reads every event. */
const slow: TrendQuestion = {
  event_types: [],
  measure: "sessions",
  edges: [0, DAY],
  where: [
    { property: "plan", values: ["pro"] },
    { property: "page", values: ["home"] },
  ],
  limit: 10,
};
const quick: TrendQuestion = { ...slow, measure: "count", where: [] };
const total = (count: number) => [{ event_type: null, total: count, values: [count] }];

test("events are stored while a report runs, which sees none of them", async () => {
  const storage = opened(newFile());
  await fill(storage);
  await storage.trend(quick);
  const report = storage.trend(slow);
  const stored = storage.appendEvents([eventAt(0)]);
  expect(await Promise.race([report.then(() => "report"), stored.then(() => "stored")])).toBe("stored");
  expect((await report).value).toEqual(total(1));
  expect(await storage.trend(quick)).toEqual({ source: "rollup", value: total(EVENTS + 1) });
});

test("a report that takes too long is given up, and says what to ask instead", async () => {
  const file = newFile();
  await opened(file).appendEvents([eventAt(0)]);
  const hurried = opened(file, { reportMs: -1 });
  expect(await refusalOf(hurried.trend(slow, { instead: "Ask for less." }))).toMatchObject({
    code: "unavailable",
    detail: "This took longer than the -0.001 s that a report may take. Ask for less.",
  });
});

test("a report that nobody waits for any more is given up, and the next one is answered", async () => {
  const storage = opened(newFile());
  await fill(storage);
  const leaving = new AbortController();
  const report = storage.trend(slow, { gone: leaving.signal });
  leaving.abort();
  expect(await refusalOf(report)).toMatchObject({ code: "unavailable" });
  expect((await storage.trend(quick)).value).toEqual(total(EVENTS));
});

test("closing does not wait for a report, whose asker is told", async () => {
  const storage = openOnThreads(newFile());
  await fill(storage);
  await storage.trend(quick);
  const reports = Array.from({ length: 10 }, () => storage.trend(slow).catch((error) => error.code));
  await new Promise((resolve) => setImmediate(resolve));
  await storage.close();
  // The last ones have not been begun yet, the first ones have.
  expect(new Set(await Promise.all(reports))).toEqual(new Set(["unavailable"]));
});

test("a thread that ends is replaced by the next question's", async () => {
  const script = join(folder, "ends.mjs");
  writeFileSync(
    script,
    'import { parentPort } from "node:worker_threads"; parentPort.on("message", () => process.exit(1));',
  );
  const storage = opened(newFile(), { threadScript: pathToFileURL(script) });
  for (let turn = 0; turn < 4; turn++) await expect(storage.trend(quick)).rejects.toThrow("a thread ended");
});

const plan = { kind: "plan", most: 1 } as const;

test("where the machine gives no other thread, whoever waits for one is told", async () => {
  const file = join(folder, "ends-later.mjs");
  writeFileSync(
    file,
    'import { parentPort } from "node:worker_threads"; parentPort.on("message", () => process.exit(1));',
  );
  const script = pathToFileURL(file);
  const threads = createThreads({ file: newFile(), script, niceness: 0, threads: 1 });
  const [ended, waited] = [threads.run(plan), refusalOf(threads.run(plan))];
  // No thread can be started from there.
  script.href = "https://localhost/thread.mjs";
  await expect(ended).rejects.toThrow("a thread ended");
  expect(await waited).toMatchObject({ code: "unavailable", detail: expect.stringContaining("no room") });
});

test("a report whose thread cannot open the file is unavailable, and the next one tries again", async () => {
  const file = newFile();
  const threads = createThreads({ file, script: threadScript, niceness: 0, threads: 1 });
  onTestFinished(() => threads.close());
  expect(await refusalOf(threads.run(plan))).toMatchObject({
    code: "unavailable",
    detail: "The storage cannot be read now. Ask again in a moment.",
  });
  await openSqlite(file).close();
  expect(await threads.run(plan)).toBeUndefined();
});

const NAMES_ITSELF = `import { parentPort, threadId } from "node:worker_threads";
parentPort.on("message", () => parentPort.postMessage({ kind: "answer", answer: threadId }));`;

test("when a pause is due nobody begins before all others have ended and it has been taken", async () => {
  const file = join(folder, "names-itself.mjs");
  writeFileSync(file, NAMES_ITSELF);
  const script = pathToFileURL(file);
  let due = false;
  let taken = 0;
  const pause = {
    isDue: () => due,
    take: () => {
      taken += 1;
      due = false;
    },
  };
  const threads = createThreads({ file: newFile(), script, niceness: 0, threads: 2, pause });
  onTestFinished(() => threads.close());
  const first = threads.run(plan);
  due = true;
  const second = threads.run(plan);
  expect(taken).toBe(0);
  // There is a second thread for it, which it would have been given otherwise.
  expect(await second).toBe(await first);
  expect(taken).toBe(1);
});

test("the log begins again in a pause, unless somebody still reads from it", () => {
  const file = newFile();
  const [db, reader] = [new Sqlite(file), new Sqlite(file)];
  onTestFinished(() => void [db, reader].map((one) => one.close()));
  db.exec("pragma journal_mode = wal; create table t(x); insert into t values (1)");
  const pause = createLogPause(db, file, 0);
  reader.exec("begin");
  reader.prepare("select x from t").all();
  db.exec("insert into t values (2)");
  pause.take();
  expect(pause.isDue()).toBe(true);
  reader.exec("commit");
  pause.take();
  expect(pause.isDue()).toBe(false);
});

test("once they are closed, threads are not started again", async () => {
  const threads = createThreads({ file: newFile(), script: threadScript, niceness: 0, threads: 1 });
  await threads.close();
  expect(await refusalOf(threads.run(plan))).toMatchObject({
    code: "unavailable",
    detail: expect.stringContaining("stopping"),
  });
});

test("where the disk takes no counting, questions are answered from the events themselves", async () => {
  const file = newFile();
  const storage = opened(file);
  await storage.appendEvents([eventAt(0), eventAt(1)]);
  const other = new Sqlite(file);
  onTestFinished(() => void other.close());
  other.exec("begin immediate");
  expect(await storage.trend(quick)).toEqual({ source: "raw", value: total(2) });
  other.exec("rollback");
  expect(await storage.trend(quick)).toEqual({ source: "rollup", value: total(2) });
});

test("two processes that share a file count every event once", async () => {
  const file = newFile();
  const [one, two] = [opened(file), opened(file)];
  const events = Array.from({ length: 1_500 }, (_, index) => eventAt(index));
  await Promise.all([one.appendEvents(events), two.appendEvents(events), one.appendEvents(events)]);
  const [first, second] = await Promise.all(
    [one, two].map((storage) => storage.trend(quick, { verify: true })),
  );
  expect(first).toEqual({ source: "rollup", value: total(4_500), recomputed: total(4_500) });
  expect(second).toEqual(first);
});
