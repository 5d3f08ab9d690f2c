import type { Database } from "better-sqlite3";
import { Failure } from "../../domain/failure.ts";
import { asFailure, isBusy, isOutOfOrder } from "./failures.ts";

/** Runs acts of writing, each atomic, and fulfils the promise of each once it is on the disk. */
export interface Writer {
  /** `rows` is about how many rows the act touches: it bounds the length of one transaction. */
  write<T>(rows: number, act: () => T): Promise<T>;
  /**
   * The same for work that is done again where a power failure undoes it: its promise fulfils before it is on the disk. A
   * later `write` brings everything before it to the disk.
   */
  writeUnsynced<T>(rows: number, act: () => T): Promise<T>;
  /** Whether less is waiting than one transaction takes. */
  hasRoom(): boolean;
  /** About how many rows the acts touch that are accepted and not settled. */
  rowsWaiting(): number;
  /** Fulfils when everything accepted so far is settled. */
  drain(): Promise<void>;
}

/** State that acts gather in memory within a transaction. */
export interface Gathered {
  /** A transaction has begun: until it ends no other connection can write. */
  begin(): void;
  /** Writes it down, inside the transaction. */
  save(): void;
  /** The transaction has ended, whether it was committed or rolled back. */
  forget(): void;
  /** The transaction was rolled back: nothing that was read within it may be kept. */
  undo(): void;
}

interface Job {
  readonly rows: number;
  readonly isSynced: boolean;
  readonly deadline: number;
  readonly act: () => unknown;
  readonly fulfil: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

// About ten milliseconds of work. A longer transaction would hold up the event loop.
const MAX_ROWS_TOGETHER = 2_000;
// A few seconds of writing. More is refused, because its clients would give up before it is stored.
const MAX_ROWS_WAITING = 100_000;
// Turns of the event loop whose writes share a commit. With one, half of the clients send while the other half's commit
// holds up the loop, and the two halves never meet: 32 clients made 19 writes a commit, with three turns 28.
const TURNS_TOGETHER = 3;
// In a busy loop a turn takes milliseconds, not microseconds. Writes then wait for time, not for turns.
const MAX_WAIT_MS = 1;
// How long transactions may follow each other before other work gets its turn.
const MAX_FLUSH_MS = 10;
// How long a write waits for the lock of another process. Between attempts the event loop is free.
const LOCK_PATIENCE_MS = 3_000;
const LOCK_RETRY_MS = 20;

/**
 * Commits together what arrives at about the same time. An fsync costs as much as forty inserts: with one commit for
 * each request, durability would cost six times the throughput; shared, it costs next to nothing.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the queue's state and the steps that share it.
export function createWriter(db: Database, gathered: Gathered): Writer {
  const begin = db.prepare("begin immediate");
  const commit = db.prepare("commit");
  const rollback = db.prepare("rollback");
  let waiting: Job[] = [];
  let rowsWaiting = 0;
  let scheduled = false;
  let scheduledAt = 0;
  const idle: (() => void)[] = [];

  /** Runs jobs whose commit does not wait for the disk: in WAL mode, a power failure undoes it at worst. */
  function unsynced(jobs: readonly Job[]): unknown[] {
    db.pragma("synchronous = normal");
    try {
      return inTransaction(jobs);
    } finally {
      db.pragma("synchronous = full");
    }
  }

  const together = (jobs: readonly Job[]): unknown[] =>
    jobs.some(({ isSynced }) => isSynced) ? inTransaction(jobs) : unsynced(jobs);

  function inTransaction(jobs: readonly Job[]): unknown[] {
    begin.run();
    try {
      gathered.begin();
      const values = jobs.map((job) => job.act());
      gathered.save();
      commit.run();
      return values;
    } catch (error) {
      // Some errors, a full disk among them, have rolled back already.
      if (db.inTransaction) rollback.run();
      gathered.undo();
      throw error;
    } finally {
      gathered.forget();
    }
  }

  /** Settles the jobs, in one transaction if that works; false where they have to wait for another process's lock. */
  function settle(jobs: readonly Job[]): boolean {
    try {
      const values = together(jobs);
      for (const [index, job] of jobs.entries()) job.fulfil(values[index]);
      return true;
    } catch (error) {
      return settleFailed(jobs, error);
    }
  }

  function settleFailed(jobs: readonly Job[], error: unknown): boolean {
    if (isBusy(error)) return waitForLock(jobs, error);
    if (jobs.length > 1 && !isOutOfOrder(error)) return settleApart(jobs);
    for (const job of jobs) job.reject(asFailure(error, "write"));
    return true;
  }

  /** One of the jobs is at fault. Run one by one, only that one fails. */
  function settleApart(jobs: readonly Job[]): boolean {
    for (const [index, job] of jobs.entries()) {
      if (settle([job])) continue;
      // Another process has the lock again: the remaining jobs keep their place behind this one.
      const [first, ...rest] = waiting;
      const behind = jobs.slice(index + 1);
      waiting = first === job ? [first, ...behind, ...rest] : [...behind, ...waiting];
      rowsWaiting += rowsOf(behind);
      return false;
    }
    return true;
  }

  function waitForLock(jobs: readonly Job[], error: unknown): boolean {
    const now = Date.now();
    for (const job of jobs) if (job.deadline <= now) job.reject(asFailure(error, "write"));
    const patient = jobs.filter((job) => job.deadline > now);
    waiting = [...patient, ...waiting];
    rowsWaiting += rowsOf(patient);
    return false;
  }

  function takeSome(): Job[] {
    let rows = 0;
    let count = 0;
    while (count < waiting.length && (count === 0 || rows < MAX_ROWS_TOGETHER)) {
      rows += waiting[count]?.rows ?? 0;
      count += 1;
    }
    const taken = waiting.slice(0, count);
    waiting = waiting.slice(count);
    rowsWaiting -= rowsOf(taken);
    return taken;
  }

  function flush(): void {
    scheduled = false;
    const until = performance.now() + MAX_FLUSH_MS;
    let settled = true;
    while (settled && waiting.length > 0) {
      settled = settle(takeSome());
      if (performance.now() >= until) break;
    }
    if (waiting.length === 0) for (const wake of idle.splice(0)) wake();
    else if (settled) scheduleNow();
    else scheduleRetry();
  }

  /** A timer would halve the rate where setImmediate does: it is only for the lock of another process. */
  function scheduleRetry(): void {
    scheduled = true;
    setTimeout(flush, LOCK_RETRY_MS);
  }

  /** For the jobs that are left: they have waited already. */
  function scheduleNow(): void {
    scheduled = true;
    setImmediate(flush);
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    scheduledAt = performance.now();
    setImmediate(flushAfter, TURNS_TOGETHER - 1);
  }

  function flushAfter(turns: number): void {
    if (turns === 0 || performance.now() - scheduledAt >= MAX_WAIT_MS) flush();
    else setImmediate(flushAfter, turns - 1);
  }

  function add<T>(rows: number, act: () => T, synced: boolean): Promise<T> {
    if (rowsWaiting > 0 && rowsWaiting + rows > MAX_ROWS_WAITING) return Promise.reject(overloaded());
    return new Promise<T>((fulfil, reject) => {
      const deadline = Date.now() + LOCK_PATIENCE_MS;
      const job = { rows, isSynced: synced, deadline, act, reject };
      waiting.push({ ...job, fulfil: fulfil as (value: unknown) => void });
      rowsWaiting += rows;
      schedule();
    });
  }

  return {
    write: (rows, act) => add(rows, act, true),
    writeUnsynced: (rows, act) => add(rows, act, false),

    hasRoom: () => rowsWaiting < MAX_ROWS_TOGETHER,
    rowsWaiting: () => rowsWaiting,

    drain: () =>
      waiting.length === 0 ? Promise.resolve() : new Promise<void>((resolve) => idle.push(resolve)),
  };
}

const rowsOf = (jobs: readonly Job[]): number => jobs.reduce((sum, job) => sum + job.rows, 0);

const overloaded = (): Failure =>
  new Failure("unavailable", "More arrives than the disk can store; nothing was stored. Send it again.", {
    retryAfterSeconds: 1,
  });
