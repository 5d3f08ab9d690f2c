import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import { Failure } from "../../../domain/failure.ts";
import type { OnRetry, RebuildProgress } from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";
import { ROWS_A_BUILD, RollupBuilder } from "../../rollups/build/builder.ts";
import { newBuildNumber } from "../../rollups/store.ts";
import { runNow } from "../../rollups/work.ts";
import { asFailure } from "../failures.ts";
import { createStepSize } from "../step-size.ts";
import type { Writer } from "../writer.ts";
import { createUnbuiltReader } from "./event-source.ts";
import { createRollupStore, createStateReader, isCurrent } from "./rollup-store.ts";
import type { BuildPlan, RollupWriter } from "./rollup-writer.ts";

export type Planner = (most: number) => BuildPlan | undefined;

/** Plans how the next events get into the rollups, at most `most`; undefined where there are none. Only reads. */
export function createPlanner(db: Database, loadsAllUsers = true): Planner {
  const store = createRollupStore(db);
  const readState = createStateReader(db);
  const unbuiltAfter = createUnbuiltReader(db);
  const builder = new RollupBuilder({ loadsAllUsers, maxRows: ROWS_A_BUILD });
  return db.transaction((most: number) => {
    const state = readState();
    if (!isCurrent(state)) return undefined;
    const { events, times, bytes } = unbuiltAfter(state.through, most);
    if (events.length === 0) return undefined;
    const built = runNow(builder.build(store, state, events, newBuildNumber()));
    const through = events[built.taken - 1]?.id ?? state.through;
    return {
      ...built,
      through,
      times: times.filter(({ id }) => id <= through),
      bytes: bytes.filter((id) => id <= through),
    };
  });
}

/** Keeps the rollups up to date: after every thousand events or so, and before a question is answered. */
export interface RollupBuild {
  /** Notes that events are being stored. */
  grow(events: number): void;
  /**
   * Builds everything that is stored now. False where the disk refuses it or it takes longer than until then, and at once
   * while a rebuild runs: the rollups stay behind.
   */
  catchUp(until: Instant): Promise<boolean>;
  /** Runs an act that changes the rollups by a plan: no build of this process comes between, which would make it void. */
  alone<T>(act: () => Promise<T>): Promise<T>;
  /** Begins what was left to do by an upgrade or by a process that has ended. */
  start(): void;
  /** How far a rebuild is; undefined where there is none. */
  progress(): RebuildProgress | undefined;
  /** The id up to which all events are in the rollups; 0 where none are. */
  builtThrough(): number;
  /** Begins nothing more, and waits for the step that runs. */
  close(): Promise<void>;
}

// Other writes get their turn between two steps of building. Where the disk is slow, fewer events take as long.
const STEP_MS = 40;
const LEAST_EVENTS = 1_000;
const EVENTS_AT_ONCE = 5_000;
// More unbuilt events than a question waits for, since they take more than a second.
const MANY_EVENTS = 50_000;
const PROGRESS_MS = 1_000;
// Another program that waits for the lock looks for it only every now and then.
const CLEARING_PAUSE_MS = 20;

const rowsOf = ({ rows }: BuildPlan): number =>
  Object.values(rows).reduce((sum, some) => sum + some.length, 0);

export interface BuildParts {
  readonly writer: Pick<Writer, "write" | "writeUnsynced">;
  readonly rollups: Omit<RollupWriter, "takeOut">;
  readonly newestId: () => number;
  readonly plan: (most: number) => Promise<BuildPlan | undefined>;
  /** How many events are stored before they are built in the background. */
  readonly buildAt: number;
  /** Called about once a second while a rebuild runs, and at its end. */
  readonly onProgress?: ((progress: RebuildProgress) => void) | undefined;
  readonly onRetry: OnRetry;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the state of the one build that may run.
export function createRollupBuild({
  writer,
  rollups,
  newestId,
  plan,
  buildAt,
  onProgress,
  onRetry,
}: BuildParts): RollupBuild {
  let unbuilt = 0;
  let running: Promise<boolean> | undefined;
  let inBackground = false;
  let closed = false;
  const size = createStepSize({ aimMs: STEP_MS, least: LEAST_EVENTS, most: EVENTS_AT_ONCE });

  /** One step; false where nothing was left to build. Callers that come while it runs share it. */
  function step(): Promise<boolean> {
    running ??= buildSome().finally(() => {
      running = undefined;
    });
    return running;
  }

  let last: Promise<unknown> = Promise.resolve();
  function alone<T>(act: () => Promise<T>): Promise<T> {
    const done = last.then(act);
    last = done.catch(() => {});
    return done;
  }

  async function buildSome(): Promise<boolean> {
    unbuilt = 0;
    return isCurrent(rollups.state()) ? alone(buildNext) : clear();
  }

  async function buildNext(): Promise<boolean> {
    const planned = await plan(size.items);
    if (planned === undefined) return false;
    let startedAt = 0;
    // A power failure may undo it: it is built again.
    await writer.writeUnsynced(rowsOf(planned), () => {
      startedAt = performance.now();
      rollups.carryOut(planned);
    });
    size.took(planned.taken, performance.now() - startedAt);
    return true;
  }

  /** Empties rollups of another version. The lock is free for most of the time, also where the disk is slow. */
  async function clear(): Promise<boolean> {
    let goesOn = true;
    for (let pause = CLEARING_PAUSE_MS; goesOn && !closed; ) {
      await sleep(pause);
      const startedAt = performance.now();
      goesOn = await writer.writeUnsynced(EVENTS_AT_ONCE, rollups.clear);
      pause = Math.max(CLEARING_PAUSE_MS, 2 * (performance.now() - startedAt));
    }
    return true;
  }

  function builtThrough(): number {
    const state = rollups.state();
    return isCurrent(state) ? state.through : 0;
  }

  const behind = (): number => newestId() - builtThrough();

  const isUpToDate = (newest: number): boolean => {
    const state = rollups.state();
    return isCurrent(state) && state.through >= newest;
  };

  function progress(): RebuildProgress | undefined {
    const missing = behind();
    const total = newestId();
    return missing > MANY_EVENTS ? { done: total - missing, total } : undefined;
  }

  /** The rebuild reads them last; until then answers come from the events, which are found by their time. */
  async function setTimes(until: Instant): Promise<void> {
    while (rollups.hasTimeless() && Date.now() < until)
      await writer.write(EVENTS_AT_ONCE, () => rollups.setTimes(EVENTS_AT_ONCE));
  }

  let saidAt = 0;
  function report(made: RebuildProgress): void {
    if (Date.now() - saidAt < PROGRESS_MS) return;
    saidAt = Date.now();
    onProgress?.(made);
  }

  const isDue = (): boolean => !closed && (unbuilt >= buildAt || behind() >= Math.min(buildAt, MANY_EVENTS));

  /**
   * Builds until nearly everything is built, also after a burst: else the next question would wait for all of it. A failure
   * must not keep events from being stored: the next question tries again, and is told.
   */
  async function buildInBackground(): Promise<void> {
    if (inBackground) return;
    inBackground = true;
    const begun = progress();
    try {
      while (isDue() && (await step())) {
        const made = progress();
        if (made !== undefined) report(made);
        // In-process builds need a turn of the event loop for whatever else has arrived.
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (begun !== undefined && progress() === undefined)
        onProgress?.({ done: newestId(), total: newestId() });
    } catch (error) {
      unbuilt = 0;
      onRetry("rollups", error);
    } finally {
      inBackground = false;
    }
  }

  return {
    grow(events) {
      unbuilt += events;
      if (unbuilt >= buildAt) void buildInBackground();
    },

    async catchUp(until) {
      try {
        const newest = newestId();
        while (!isUpToDate(newest) && progress() === undefined && Date.now() < until) {
          if (!(await step())) return true;
        }
        if (isUpToDate(newest)) return true;
        void buildInBackground();
        await setTimes(until);
        return false;
      } catch (thrown) {
        const error = asFailure(thrown, "read");
        if (error instanceof Failure && error.code === "unavailable") return false;
        throw error;
      }
    },

    alone,
    start: () => void buildInBackground(),
    progress,
    builtThrough,

    async close() {
      closed = true;
      await running?.catch(() => {});
    },
  };
}
