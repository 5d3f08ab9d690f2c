import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import type { Keeping } from "../../domain/events/expiry.ts";
import type { OnRetry } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import { createExpiry, type Expiry } from "../background/expiry.ts";
import { noRemovedRows } from "../rollups/removal/removed-rows.ts";
import type { EventRemoval } from "./people/event-removal.ts";
import type { RemovalPlanner } from "./people/removal-planner.ts";
import type { Remove } from "./people/remover.ts";
import type { RollupBuild } from "./reports/rollup-build.ts";
import type { RollupWriter } from "./reports/rollup-writer.ts";
import type { Writer } from "./writer.ts";

export interface ExpiryParts {
  readonly db: Database;
  readonly writer: Writer;
  readonly rollups: RollupWriter;
  readonly build: Pick<RollupBuild, "catchUp" | "alone">;
  readonly remove: Remove;
  readonly planner: RemovalPlanner;
  readonly removal: Pick<EventRemoval, "sweepValues">;
  readonly keeping: Keeping;
  readonly now: () => Instant;
  readonly onRetry: OnRetry;
}

// About five milliseconds of work in one transaction.
const EVENTS_A_STEP = 200;
const ROWS_A_STEP = 1_000;
const USERS_A_STEP = 500;
// No build runs meanwhile.
const USERS_A_PLAN = 5_000;
const PAGES_A_STEP = 64;
// Leaves the event loop and the disk to requests between two steps.
const PAUSE_MS = 3;
// Builds of another process may make one plan after another void.
const MOST_PLANS = 10;

export function openExpiry(parts: ExpiryParts): Expiry {
  const { db, writer, rollups, build, remove, planner, removal, keeping, now, onRetry } = parts;
  const deleteUser = db.prepare<[string]>("delete from event_users where user_id = ?");

  /** The number of removed events; undefined while the rollups are built again, or another process builds. */
  async function step(): Promise<number | undefined> {
    for (let plans = 0; plans < MOST_PLANS; plans += 1) {
      const planned = await planner.ofExpired(keeping, now(), EVENTS_A_STEP);
      if (planned === undefined) return undefined;
      if (planned.ids.length === 0) return 0;
      const removed = await writer.writeUnsynced(ROWS_A_STEP, () => remove(planned));
      if (removed !== undefined) return removed.events;
    }
    return undefined;
  }

  /** Deletes some users if nothing was built since they were found unused; the build number afterwards. */
  function deleteUsers(userIds: readonly string[], seen: number): number | undefined {
    if (rollups.state().build !== seen) return undefined;
    for (const userId of userIds) deleteUser.run(userId);
    rollups.takeOut(noRemovedRows());
    return rollups.state().build;
  }

  /** "void" where another process has built meanwhile. */
  async function sweepSomeUsers(): Promise<"done" | "more" | "void"> {
    const unused = await planner.unusedUsers(USERS_A_PLAN);
    if (unused === undefined) return "done";
    let seen = unused.build;
    for (let at = 0; at < unused.keys.length; at += USERS_A_STEP) {
      const [some, known] = [unused.keys.slice(at, at + USERS_A_STEP), seen];
      const deletedBy = await writer.write(USERS_A_STEP, () => deleteUsers(some, known));
      if (deletedBy === undefined) return "void";
      seen = deletedBy;
    }
    return unused.keys.length === USERS_A_PLAN ? "more" : "done";
  }

  async function sweepUsers(signal: AbortSignal): Promise<void> {
    for (let plans = 0; plans < MOST_PLANS && !signal.aborted; ) {
      const swept = await build.alone(sweepSomeUsers);
      if (swept === "done") return;
      if (swept === "void") plans += 1;
    }
  }

  /** Gives free pages back to the file system, where the file was made for that. */
  async function shrink(signal: AbortSignal): Promise<void> {
    if (db.pragma("auto_vacuum", { simple: true }) !== 2) return;
    while (!signal.aborted && Number(db.pragma("freelist_count", { simple: true })) > 0) {
      await writer.writeUnsynced(ROWS_A_STEP, () => db.pragma(`incremental_vacuum(${PAGES_A_STEP})`));
      await sleep(PAUSE_MS, undefined, { signal, ref: false });
    }
  }

  async function sweep(signal: AbortSignal): Promise<void> {
    await removal.sweepValues(signal);
    await sweepUsers(signal);
    await shrink(signal);
  }

  const { catchUp } = build;
  return createExpiry(keeping, now, onRetry, {
    catchUp,
    remove: () => build.alone(step),
    sweep,
  });
}
