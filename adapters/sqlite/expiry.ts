import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import type { Keeping } from "../../domain/events/expiry.ts";
import type { OnRetry } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import { createExpiry, type Expiry } from "../background/expiry.ts";
import { nextExpired, unusedUsers } from "../rollups/removal/expired.ts";
import { noRemovedRows } from "../rollups/removal/removed-rows.ts";
import { run, runNow } from "../rollups/work.ts";
import type { EventRemoval } from "./people/event-removal.ts";
import type { Remove } from "./people/remover.ts";
import type { RollupBuild } from "./reports/rollup-build.ts";
import { createRemovalStore, isCurrent } from "./reports/rollup-store.ts";
import type { RollupWriter } from "./reports/rollup-writer.ts";
import type { Writer } from "./writer.ts";

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
// Leaves the event loop and the disk to requests between two steps.
const PAUSE_MS = 3;
// Another build, between the look at all users and the deletion of some, makes the look worthless.
const MOST_LOOKS = 10;

export function openExpiry(parts: ExpiryParts): Expiry {
  const { db, writer, rollups, build, remove, removal, keeping, now, onRetry } = parts;
  const store = createRemovalStore(db);
  const deleteUser = db.prepare<[string]>("delete from event_users where user_id = ?");

  /** The number of removed events; undefined while the rollups are built again. */
  function step(): number | undefined {
    if (!isCurrent(rollups.state())) return undefined;
    const expired = runNow(nextExpired(store, keeping, now(), EVENTS_A_STEP));
    return expired === undefined ? 0 : remove(expired, keeping.counts).events;
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
  async function shrink(signal: AbortSignal): Promise<void> {
    if (db.pragma("auto_vacuum", { simple: true }) !== 2) return;
    while (!signal.aborted && Number(db.pragma("freelist_count", { simple: true })) > 0) {
      await writer.writeUnsynced(ROWS_A_STEP, () => db.pragma(`incremental_vacuum(${PAGES_A_STEP})`));
      await sleep(PAUSE_MS, undefined, { signal, ref: false });
    }
  }

  async function sweep(signal: AbortSignal): Promise<void> {
    await removal.sweepValues(signal);
    for (let looks = 0; looks < MOST_LOOKS && !signal.aborted; looks += 1) if (await sweepUsersOnce()) break;
    await shrink(signal);
  }

  const { catchUp } = build;
  return createExpiry(keeping, now, onRetry, {
    catchUp,
    remove: () => writer.writeUnsynced(ROWS_A_STEP, step),
    sweep,
  });
}
