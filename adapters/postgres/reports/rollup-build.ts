import { setTimeout as sleep } from "node:timers/promises";
import type { OnRetry, RebuildProgress } from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";
import { ROWS_A_BUILD, RollupBuilder, type UnbuiltEvent } from "../../rollups/build/builder.ts";
import { newBuildNumber, type RollupState } from "../../rollups/store.ts";
import { run } from "../../rollups/work.ts";
import type { Query } from "../client.ts";
import type { Database } from "../database.ts";
import { createIndexes } from "../indexes.ts";
import { createRollupStore } from "./rollup-store.ts";
import {
  clearRollups,
  isCurrent,
  putRows,
  SELECT_STATE,
  type StoredState,
  setState,
} from "./rollup-writer.ts";
import { takeUnbuilt } from "./unbuilt-events.ts";

/** Keeps the rollups up to date. Of several processes, one builds at a time. */
export interface RollupBuild {
  /** Notes that events were stored. */
  grow(events: number): void;
  /** Builds what is stored now, or waits for the process that does, at most until then. */
  catchUp(until: Instant): Promise<void>;
  /** Creates missing indexes, and does what an upgrade has left to do. */
  start(): void;
  /** How far the backfill is, by the ids of its events; undefined once it is done. */
  progress(): Promise<RebuildProgress | undefined>;
  /** Ends after the current step. */
  stop(): Promise<void>;
}

const EVENTS_AT_ONCE = 5_000;
// One by one, each event would change a dozen rows; a thousand together change a few hundred.
const BUILD_AT = 1_000;
// Fewer events are built after a pause of this length, so that questions soon have no tail to add.
const REST_MS = 500;
const RETRY_MS = 1_000;
const PROGRESS_MS = 1_000;
// How soon to look again while another process builds.
const BUSY_MS = 20;

/** `idle`: nothing is left. `busy`: another process builds. */
type Step = "built" | "idle" | "busy";

/** Builds events, each time as many as change a bounded number of rows. Other work of the process runs in between. */
async function buildEvents(
  query: Query,
  builder: RollupBuilder,
  before: RollupState,
  events: readonly UnbuiltEvent[],
): Promise<RollupState> {
  const store = createRollupStore(query);
  let state = before;
  for (let at = 0; at < events.length; ) {
    const work = builder.build(store, state, events.slice(at), newBuildNumber());
    const { after, rows, taken } = await run(work, () => undefined);
    await putRows(query, rows, after.build);
    state = after;
    at += taken;
  }
  return state;
}

/** One step, in the transaction of the query: the state's lock is held until it is committed. */
export async function buildSome(query: Query, builder: RollupBuilder): Promise<Step> {
  const [state] = await query<StoredState>(`${SELECT_STATE} for update skip locked`);
  if (state === undefined) return "busy";
  if (!isCurrent(state)) {
    await clearRollups(query);
    return "built";
  }
  const { events, backfilled, more } = await takeUnbuilt(query, state, EVENTS_AT_ONCE);
  if (events.length === 0 && backfilled === state.backfilled) return more ? "built" : "idle";
  const after = await buildEvents(query, builder, state, events);
  await setState(query, { ...state, ...after, backfilled });
  return "built";
}

// More events in the journal than this take seconds to build.
const MANY_EVENTS = 50_000;

const PROGRESS = `
  select greatest(0, backfill_end - greatest(backfilled, first - 1)) as old, last - first + 1 as total,
    (select coalesce(sum(events), 0)::bigint from event_journal) as fresh
  from event_rollup, (select coalesce(min(id), 1) as first, coalesce(max(id), 0) as last from events) as range`;

interface Remaining {
  readonly old: number;
  readonly fresh: number;
  readonly total: number;
}

/** Events of the backfill are counted by the range of their ids, which has gaps: the share that is done is about right. */
async function progressOf(query: Query): Promise<RebuildProgress | undefined> {
  const [row] = await query<Remaining>(PROGRESS);
  if (row === undefined || (row.old === 0 && row.fresh < MANY_EVENTS)) return undefined;
  return { done: Math.max(0, row.total - row.old - row.fresh), total: row.total };
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the state of the one build that may run.
export function createRollupBuild(
  database: Database,
  onProgress: (progress: RebuildProgress) => void,
  onRetry: OnRetry,
): RollupBuild {
  const builder = new RollupBuilder({ loadsAllUsers: true, maxRows: ROWS_A_BUILD });
  const stopping = new AbortController();
  let grown = 0;
  /** Whether something may be left that only a later build finds. */
  let isDue = false;
  let running: Promise<Step> | undefined;
  let background: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  function step(): Promise<Step> {
    running ??= database
      .transaction((query) => buildSome(query, builder))
      .finally(() => {
        running = undefined;
      });
    return running;
  }

  const progress = (): Promise<RebuildProgress | undefined> => progressOf(database.query);

  let saidAt = Date.now();
  async function report(): Promise<void> {
    if (Date.now() - saidAt < PROGRESS_MS) return;
    saidAt = Date.now();
    const made = await progress();
    if (made !== undefined) onProgress(made);
  }

  async function buildAll(): Promise<void> {
    grown = 0;
    isDue = false;
    let done: Step = "built";
    while (!stopping.signal.aborted && done === "built") {
      done = await step();
      await report();
    }
    // The other process may have begun before the last events were stored.
    if (done === "busy") isDue = true;
  }

  /** A failure must not keep events from being stored: the build is tried again later. */
  function inBackground(act: () => Promise<void>): void {
    if (stopping.signal.aborted) return;
    background ??= act()
      .catch((error) => {
        isDue = true;
        if (!stopping.signal.aborted) onRetry("rollups", error);
      })
      .finally(() => {
        background = undefined;
        if (isDue) later(RETRY_MS);
      });
  }

  function later(milliseconds: number): void {
    if (stopping.signal.aborted) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      if (isDue) inBackground(buildAll);
    }, milliseconds);
    timer.unref();
  }

  /** Finishes an upgrade: indexes first, without which the backfill and questions would read whole tables. */
  async function upgrade(): Promise<void> {
    const rest = { signal: stopping.signal, ref: false };
    while (!(await createIndexes(database))) await sleep(RETRY_MS, undefined, rest);
    await buildAll();
    // Another process may do the backfill.
    for (let made = await progress(); made !== undefined; made = await progress()) {
      onProgress(made);
      await sleep(RETRY_MS, undefined, rest);
      await buildAll();
    }
  }

  return {
    grow(events) {
      grown += events;
      isDue = true;
      if (grown >= BUILD_AT) inBackground(buildAll);
      else later(REST_MS);
    },

    async catchUp(until) {
      while (Date.now() < until) {
        const done = await step();
        if (done === "idle") return;
        if (done === "busy") await sleep(BUSY_MS);
      }
    },

    start: () => inBackground(upgrade),
    progress,

    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await background?.catch(() => {});
      await running?.catch(() => {});
    },
  };
}
