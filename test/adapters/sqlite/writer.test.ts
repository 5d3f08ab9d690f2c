import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import { afterAll, afterEach, expect, onTestFinished, test, vi } from "vitest";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { createWriter, type Gathered, type Writer } from "../../../adapters/sqlite/writer.ts";
import { ExperimentInput, newExperiment } from "../../../domain/experiments/experiment.ts";
import { Failure } from "../../../domain/failure.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-writer-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => void vi.useRealTimers());

let files = 0;
const newFile = (): string => {
  files += 1;
  return join(folder, `${files}.db`);
};

const nothingGathered: Gathered = { begin: () => {}, save: () => {}, forget: () => {}, undo: () => {} };

interface Opened {
  readonly db: Database;
  readonly writer: Writer;
  /** Every statement that was run, in its order. */
  readonly statements: string[];
  /** An act that stores one row. */
  put(value: number | null): () => number;
  rows(): unknown[];
}

function open(file = ":memory:", gatheredBy: (db: Database) => Gathered = () => nothingGathered): Opened {
  const statements: string[] = [];
  const db = new Sqlite(file, {
    timeout: 0,
    verbose: (statement) => void statements.push(String(statement)),
  });
  onTestFinished(() => void db.close());
  db.pragma("journal_mode = wal");
  db.exec("create table if not exists numbers (value integer not null)");
  const insert = db.prepare("insert into numbers values (?)");
  const select = db.prepare("select value from numbers order by rowid").pluck();
  return {
    db,
    statements,
    writer: createWriter(db, gatheredBy(db)),
    put: (value) => () => insert.run(value).changes,
    rows: () => select.all(),
  };
}

const commits = ({ statements }: Opened): number =>
  statements.filter((statement) => statement === "commit").length;
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => new Error("it was fulfilled"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Failure)) throw error;
  return error;
}

test("work that may be undone does not wait for the disk, unless it shares a commit with work that may not", async () => {
  const { db, writer, put, rows } = open();
  const synchronous = () => db.pragma("synchronous", { simple: true });
  const [FULL, NORMAL] = [2, 1];
  const seen: unknown[] = [];
  const noted = (value: number) => () => {
    seen.push(synchronous());
    return put(value)();
  };
  await writer.writeUnsynced(1, noted(1));
  await writer.write(1, noted(2));
  await Promise.all([writer.writeUnsynced(1, noted(3)), writer.write(1, noted(4))]);
  await expect(writer.writeUnsynced(1, put(null))).rejects.toThrow();
  expect(seen).toEqual([NORMAL, FULL, FULL, FULL]);
  expect(synchronous()).toBe(FULL);
  expect(rows()).toEqual([1, 2, 3, 4]);
});

test("what arrives in one turn is one commit, and each is answered with its own", async () => {
  const opened = open();
  const { writer, put, rows } = opened;
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) => writer.write(1, () => [n, put(n)()])),
  );
  expect(answers).toEqual(Array.from({ length: 50 }, (_, n) => [n, 1]));
  expect(commits(opened)).toBe(1);
  expect(rows()).toEqual(Array.from({ length: 50 }, (_, n) => n));
});

test("what arrives in another turn is another commit", async () => {
  const opened = open();
  await opened.writer.write(1, opened.put(1));
  await opened.writer.write(1, opened.put(2));
  expect(commits(opened)).toBe(2);
});

test("nobody is answered before the commit", async () => {
  const opened = open();
  const committedWhenAnswered = opened.writer.write(1, opened.put(1)).then(() => commits(opened));
  expect(opened.statements.filter((statement) => statement.startsWith("insert"))).toEqual([]);
  expect(await committedWhenAnswered).toBe(1);
});

/** Counts the commits of every connection from here on. */
function countCommits(db: Database): () => number {
  const run = vi.spyOn(Object.getPrototypeOf(db.prepare("select 1")), "run");
  onTestFinished(() => run.mockRestore());
  return () =>
    run.mock.contexts.filter((statement) => (statement as { source: string }).source === "commit").length;
}

test("a storage's events, assignments and values of one turn share their commit", async () => {
  const storage = openSqlite(":memory:");
  onTestFinished(() => storage.close());
  const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
  const input = ExperimentInput.parse({ test_name: "colours", variants });
  const experiment = await storage.createExperiment(newExperiment(input, "salt", 0));
  const [red] = experiment?.variants ?? [];
  if (experiment === undefined || red === undefined) throw new Error("not created");
  const stamps = { user_id: "ann", created_at: 0, occurred_at: 0, message_key: null };
  const event = { ...stamps, event_type: "a", session_id: null, properties: null };
  const commitsSince = countCommits(open().db);
  await Promise.all([
    storage.appendEvents([event]),
    storage.assign(experiment.id, [{ user_id: "ann", variant_id: red.id, assigned_at: 0 }]),
    storage.appendMetrics(experiment.id, [{ ...stamps, metric_name: "m", value: 1 }]),
    storage.appendEvents([event, event]),
    storage.createExperiment(newExperiment({ ...input, test_name: "other" }, "salt", 0)),
  ]);
  expect(commitsSince()).toBe(1);
  await storage.appendEvents([event]);
  expect(commitsSince()).toBe(2);
});

test("a faulty act fails alone, with its own error, and its neighbours are stored", async () => {
  const opened = open();
  const { writer, put, rows } = opened;
  const mistake = new Error("a mistake of ours");
  const settled = await Promise.allSettled([
    writer.write(1, put(1)),
    writer.write(2, () => {
      put(7)();
      throw mistake;
    }),
    writer.write(1, put(2)),
    writer.write(1, put(null)),
    writer.write(1, put(3)),
  ]);
  expect(settled.map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  expect(settled[1]).toEqual({ status: "rejected", reason: mistake });
  expect(settled[3]).toMatchObject({ reason: { code: "SQLITE_CONSTRAINT_NOTNULL" } });
  expect(rows()).toEqual([1, 2, 3]);
});

test("state that acts gather is written with them once, and undone where they are rolled back", async () => {
  let gathered = 0;
  let undone = 0;
  const opened = open(":memory:", (db) => ({
    begin: () => {},
    save: () => void db.prepare("insert into numbers values (?)").run(gathered),
    forget: () => {
      gathered = 0;
    },
    undo: () => {
      undone += 1;
    },
  }));
  const add = (amount: number) => () => {
    gathered += amount;
  };
  await Promise.all([opened.writer.write(1, add(1)), opened.writer.write(1, add(10))]);
  expect([opened.rows(), undone]).toEqual([[11], 0]);
  await Promise.allSettled([
    opened.writer.write(1, add(100)),
    opened.writer.write(1, () => {
      add(1_000)();
      throw new Error("after it gathered");
    }),
    opened.writer.write(1, add(10_000)),
  ]);
  expect(opened.rows()).toEqual([11, 100, 10_000]);
  // Once for all three together, once for the faulty one alone.
  expect(undone).toBe(2);
});

test("a turn that brings much is shared out over several transactions, in its order", async () => {
  const opened = open();
  await Promise.all([1, 2, 3, 4, 5].map((n) => opened.writer.write(1_000, opened.put(n))));
  expect(commits(opened)).toBe(3);
  expect(opened.rows()).toEqual([1, 2, 3, 4, 5]);
});

test("past a bound writes are refused with the time to come back, and what was accepted is stored", async () => {
  const opened = open();
  const accepted = [opened.writer.write(99_999, opened.put(1)), opened.writer.write(1, opened.put(2))];
  const refused = await failureOf(opened.writer.write(1, opened.put(3)));
  expect(refused).toMatchObject({ code: "unavailable", retryAfterSeconds: 1 });
  expect(await Promise.all(accepted)).toEqual([1, 1]);
  await opened.writer.write(1, opened.put(4));
  expect(opened.rows()).toEqual([1, 2, 4]);
});

test("a single act is taken whatever its size while nobody waits", async () => {
  const opened = open();
  expect(await opened.writer.write(1_000_000, opened.put(1))).toBe(1);
});

test("while another process holds the lock writes wait, and succeed in their order when it lets go", async () => {
  const file = newFile();
  const opened = open(file);
  const other = open(file);
  other.db.exec("begin immediate");
  const writes = Promise.all([1, 2, 3].map((n) => opened.writer.write(1, opened.put(n))));
  while (opened.statements.filter((statement) => statement === "begin immediate").length < 2)
    await nextTurn();
  const late = opened.writer.write(1, opened.put(4));
  expect(opened.rows()).toEqual([]);
  other.db.exec("commit");
  expect(await writes).toEqual([1, 1, 1]);
  await late;
  expect(opened.rows()).toEqual([1, 2, 3, 4]);
});

test("a lock that is not let go is answered in time: unavailable, and nothing stored", async () => {
  const file = newFile();
  const opened = open(file);
  const other = open(file);
  other.db.exec("begin immediate");
  vi.useFakeTimers({ toFake: ["setTimeout", "Date"] });
  const refused = failureOf(opened.writer.write(1, opened.put(1)));
  for (let second = 0; second < 4; second += 1) {
    await nextTurn();
    vi.advanceTimersByTime(1_000);
  }
  expect(await refused).toMatchObject({ code: "unavailable", retryAfterSeconds: 1 });
  vi.useRealTimers();
  other.db.exec("rollback");
  expect(opened.rows()).toEqual([]);
  expect(await opened.writer.write(1, opened.put(2))).toBe(1);
  expect(opened.rows()).toEqual([2]);
});

test("a full disk is unavailable for all, stores nothing, and is made up for when there is room", async () => {
  const opened = open(newFile());
  const pages = Number(opened.db.pragma("page_count", { simple: true }));
  opened.db.pragma(`max_page_count = ${pages}`);
  const many = () => {
    for (let n = 0; n < 5_000; n += 1) opened.put(n)();
  };
  const [first, second] = [opened.writer.write(5_000, many), opened.writer.write(5_000, many)];
  expect(await failureOf(first)).toMatchObject({ code: "unavailable", retryAfterSeconds: 1 });
  expect(await failureOf(second)).toMatchObject({ code: "unavailable" });
  expect(opened.rows()).toEqual([]);
  opened.db.pragma("max_page_count = 1000000");
  await opened.writer.write(5_000, many);
  expect(opened.rows()).toHaveLength(5_000);
});

test("draining waits for all that was accepted, and for nothing when there is nothing", async () => {
  const opened = open();
  await opened.writer.drain();
  const settled: number[] = [];
  for (const n of [1, 2, 3]) void opened.writer.write(1_500, opened.put(n)).then(() => settled.push(n));
  await opened.writer.drain();
  expect(opened.rows()).toEqual([1, 2, 3]);
  await nextTurn();
  expect(settled).toEqual([1, 2, 3]);
});

test("draining waits out a lock", async () => {
  const file = newFile();
  const opened = open(file);
  const other = open(file);
  other.db.exec("begin immediate");
  const write = opened.writer.write(1, opened.put(1));
  const drained = opened.writer.drain().then(() => opened.rows());
  await nextTurn();
  await nextTurn();
  other.db.exec("commit");
  expect(await drained).toEqual([1]);
  expect(await write).toBe(1);
});

test("has room until as much is waiting as one transaction takes, and again when it is stored", async () => {
  const opened = open();
  const { writer, put } = opened;
  expect(writer.hasRoom()).toBe(true);
  const first = writer.write(1_999, put(1));
  expect(writer.hasRoom()).toBe(true);
  const second = writer.write(1, put(2));
  expect(writer.hasRoom()).toBe(false);
  await Promise.all([first, second]);
  expect(writer.hasRoom()).toBe(true);
});

/** A clock that only goes on when a test says so. */
function stopClock(): (milliseconds: number) => void {
  let time = 0;
  const now = vi.spyOn(performance, "now").mockImplementation(() => time);
  onTestFinished(() => now.mockRestore());
  return (milliseconds) => {
    time += milliseconds;
  };
}

test("in a busy loop a write waits for one turn, not for three", async () => {
  const spend = stopClock();
  const { writer, put } = open();
  let turns = 0;
  let stored = false;
  const write = writer.write(1, put(1)).then(() => {
    stored = true;
  });
  while (!stored) {
    spend(5);
    turns += 1;
    await nextTurn();
  }
  await write;
  expect(turns).toBeLessThanOrEqual(2);
});

test("transactions follow each other for a while, and then other work gets its turn", async () => {
  const spend = stopClock();
  const opened = open();
  const slow = (n: number) => () => {
    spend(6);
    return opened.put(n)();
  };
  const writes = [1, 2, 3, 4, 5, 6].map((n) => opened.writer.write(2_000, slow(n)));
  const commitsByTurn: number[] = [];
  while (opened.rows().length < 6) {
    await nextTurn();
    commitsByTurn.push(commits(opened));
  }
  await Promise.all(writes);
  const inOneTurn = commitsByTurn.map((count, turn) => count - (commitsByTurn[turn - 1] ?? 0));
  expect(inOneTurn.filter((count) => count > 0)).toEqual([2, 2, 2]);
  expect(commits(opened)).toBe(6);
});
