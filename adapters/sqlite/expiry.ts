import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import { type ExpiryProgress, expires, type Keeping } from "../../domain/events/expiry.ts";
import type { OnRetry } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import { nextExpired, unusedUsers } from "../rollups/removal/expired.ts";
import { noRemovedRows } from "../rollups/removal/removed-rows.ts";
import { run, runNow } from "../rollups/work.ts";
import type { EventRemoval } from "./people/event-removal.ts";
import type { Remove } from "./people/remover.ts";
import type { RollupBuild } from "./reports/rollup-build.ts";
import { createRemovalStore, isCurrent } from "./reports/rollup-store.ts";
import type { RollupWriter } from "./reports/rollup-writer.ts";
import type { Writer } from "./writer.ts";

/** Removes events that are older than they are kept, in small transactions. */
export interface Expiry {
  start(): void;
  /** Undefined where everything is kept. */
  progress(): ExpiryProgress | undefined;
  /** Ends after the current step. */
  stop(): Promise<void>;
}

export interface ExpiryParts {
  readonly db: Database;
  readonly writer: Writer;
  readonly rollups: RollupWriter;
  readonly build: Pick<RollupBuild, "catchUp">;
  readonly remove: Remove;
  readonly removal: Pick<EventRemoval, "sweepValues">;
  readonly keeping: Keeping;
  readonly now: () => Instant;
  readonly onRetry: OnRetry;
}

// About five milliseconds of work in one transaction.
const EVENTS_A_STEP = 200;
const ROWS_A_STEP = 1_000;
const USERS_A_STEP = 500;
const PAGES_A_STEP = 64;
const BUILD_MS = 5_000;
// Leaves the event loop and the disk to requests between two steps.
const PAUSE_MS = 3;
const CHECK_EVERY_MS = 60_000;
// Another build, between the look at all users and the deletion of some, makes the look worthless.
const MOST_LOOKS = 10;

export function createExpiry(parts: ExpiryParts): Expiry {
  const { db, writer, rollups, build, remove, removal, keeping, now, onRetry } = parts;
  const store = createRemovalStore(db);
  const deleteUser = db.prepare<[string]>("delete from event_users where user_id = ?");
  const stopping = new AbortController();
  const { signal } = stopping;
  let removed = 0;
  let pending = expires(keeping);
  let working: Promise<void> | undefined;

  /** The number of removed events; undefined while the rollups are built again. */
  function step(): number | undefined {
    if (!isCurrent(rollups.state())) return undefined;
    const expired = runNow(nextExpired(store, keeping, now(), EVENTS_A_STEP));
    return expired === undefined ? 0 : remove([expired.hour], expired.isRemoved);
  }

  async function removeExpired(): Promise<number> {
    let events = 0;
    while (!signal.aborted) {
      const gone = await writer.write(ROWS_A_STEP, step);
      if (gone === 0) return events;
      events += gone ?? 0;
      removed += gone ?? 0;
      await sleep(gone === undefined ? BUILD_MS : PAUSE_MS, undefined, { signal, ref: false });
    }
    return events;
  }

  /** Deletes some users if nothing was built since the look that found them unused; the build number afterwards. */
  function deleteUsers(userIds: readonly string[], seen: number): number | undefined {
    if (rollups.state().build !== seen) return undefined;
    for (const userId of userIds) deleteUser.run(userId);
    rollups.takeOut(noRemovedRows());
    return rollups.state().build;
  }

  /** False where another build came between. */
  async function sweepUsersOnce(): Promise<boolean> {
    const { build: before, users } = rollups.state();
    const unused = await run(unusedUsers(store, users), () => nextTurn());
    let seen: number | undefined = before;
    for (let at = 0; at < unused.length && seen !== undefined; at += USERS_A_STEP) {
      const some = unused.slice(at, at + USERS_A_STEP);
      const known: number = seen;
      seen = await writer.write(USERS_A_STEP, () => deleteUsers(some, known));
    }
    return seen !== undefined;
  }

  /** Gives free pages back to the file system, where the file was made for that. */
  async function shrink(): Promise<void> {
    if (db.pragma("auto_vacuum", { simple: true }) !== 2) return;
    while (!signal.aborted && Number(db.pragma("freelist_count", { simple: true })) > 0) {
      await writer.write(ROWS_A_STEP, () => db.pragma(`incremental_vacuum(${PAGES_A_STEP})`));
      await sleep(PAUSE_MS, undefined, { signal, ref: false });
    }
  }

  async function pass(): Promise<void> {
    await build.catchUp(Date.now() + BUILD_MS);
    if ((await removeExpired()) > 0) {
      await removal.sweepValues(signal);
      for (let looks = 0; looks < MOST_LOOKS && !signal.aborted; looks += 1)
        if (await sweepUsersOnce()) break;
      await shrink();
    }
    pending = false;
  }

  async function work(): Promise<void> {
    while (!signal.aborted) {
      await pass().catch((error) => {
        if (!signal.aborted) onRetry("expiry", error);
      });
      await sleep(CHECK_EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  return {
    start() {
      if (expires(keeping)) working ??= work();
    },
    progress: () => (expires(keeping) ? { removed, pending } : undefined),
    async stop() {
      stopping.abort();
      await working;
    },
  };
}
