import type { Database } from "better-sqlite3";
import { Failure } from "../../domain/failure.ts";
import { asFailure, isBusy, isOutOfOrder } from "./failures.ts";

/** Runs acts of writing, each atomic, and fulfils each one's promise once it is on the disk. */
export interface Writer {
  /** `rows` is about how many rows the act touches: it bounds what one transaction holds up. */
  write<T>(rows: number, act: () => T): Promise<T>;
  /** Fulfils when everything accepted so far is settled. */
  drain(): Promise<void>;
}

/** State that acts gather in memory within a transaction. */
export interface Gathered {
  /** Writes it down, inside the transaction. */
  save(): void;
  /** The transaction is over, one way or the other. */
  forget(): void;
  /** It was rolled back: what was read within it may never have been. */
  undo(): void;
}

interface Job {
  readonly rows: number;
  readonly deadline: number;
  readonly act: () => unknown;
  readonly fulfil: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

// Ten milliseconds or so of work: a longer transaction would keep the event loop from everybody else.
const MAX_ROWS_TOGETHER = 2_000;
// A few seconds of writing, or a hundred clients with a batch of a thousand each. Whoever comes later is told to, before
// latency explodes.
const MAX_ROWS_WAITING = 100_000;
// Turns of the event loop, some microseconds each, whose writes share a commit. With one, half of the clients send while
// the other half's commit holds up the loop, and the two halves never meet: 32 clients made 19 writes a commit, with
// three turns 28.
const TURNS_TOGETHER = 3;
// A request's patience while another process holds the lock; the event loop is free in between the tries.
const LOCK_PATIENCE_MS = 3_000;
const LOCK_RETRY_MS = 20;

/**
 * Commits together what arrives within a few turns of the event loop. An fsync costs as much as forty inserts, so with
 * one commit per request durability would cost six times the throughput; shared, it costs next to nothing.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the queue's state and the steps that share it.
export function createWriter(db: Database, gathered: Gathered): Writer {
  const begin = db.prepare("begin immediate");
  const commit = db.prepare("commit");
  const rollback = db.prepare("rollback");
  let waiting: Job[] = [];
  let rowsWaiting = 0;
  let scheduled = false;
  const idle: (() => void)[] = [];

  function together(jobs: readonly Job[]): unknown[] {
    begin.run();
    try {
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

  /** Settles the jobs, all in one transaction if that works; false where they now wait for the lock of another. */
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

  /** One of them is at fault: apart, it fails alone. */
  function settleApart(jobs: readonly Job[]): boolean {
    for (const [index, job] of jobs.entries()) {
      if (settle([job])) continue;
      // The lock is somebody else's again: the others wait in line behind this one.
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
    const settled = settle(takeSome());
    if (waiting.length > 0) schedule(!settled);
    else for (const wake of idle.splice(0)) wake();
  }

  function schedule(locked: boolean): void {
    if (scheduled) return;
    scheduled = true;
    // A timer instead of setImmediate would halve the rate: it is only for the lock of another process.
    if (locked) setTimeout(flush, LOCK_RETRY_MS);
    else setImmediate(flushAfter, TURNS_TOGETHER - 1);
  }

  function flushAfter(turns: number): void {
    if (turns > 0) setImmediate(flushAfter, turns - 1);
    else flush();
  }

  return {
    write<T>(rows: number, act: () => T): Promise<T> {
      if (rowsWaiting > 0 && rowsWaiting + rows > MAX_ROWS_WAITING) return Promise.reject(overloaded());
      return new Promise<T>((fulfil, reject) => {
        const deadline = Date.now() + LOCK_PATIENCE_MS;
        waiting.push({ rows, deadline, act, fulfil: fulfil as (value: unknown) => void, reject });
        rowsWaiting += rows;
        schedule(false);
      });
    },

    drain: () =>
      waiting.length === 0 ? Promise.resolve() : new Promise<void>((resolve) => idle.push(resolve)),
  };
}

const rowsOf = (jobs: readonly Job[]): number => jobs.reduce((sum, job) => sum + job.rows, 0);

const overloaded = (): Failure =>
  new Failure(
    "unavailable",
    "More is being written than the disk takes; nothing was stored. Send it again.",
    {
      retryAfterSeconds: 1,
    },
  );
