import type { Keeping } from "../../domain/events/expiry.ts";
import type { OnRetry } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import { createExpiry, type Expiry } from "../background/expiry.ts";
import { nextExpired, unusedUsers } from "../rollups/removal/expired.ts";
import { noRemovedRows } from "../rollups/removal/removed-rows.ts";
import { run } from "../rollups/work.ts";
import type { Query } from "./client.ts";
import type { Database } from "./database.ts";
import { lockState, removeFrom, sweepValues } from "./people/event-removal.ts";
import type { RollupBuild } from "./reports/rollup-build.ts";
import { createRollupStore } from "./reports/rollup-store.ts";
import { takeOut } from "./reports/rollup-writer.ts";

const EVENTS_A_STEP = 1_000;
const USERS_A_STEP = 5_000;

const DELETE_USERS = "delete from event_users where user_id = any($1::text[])";

/** The number of removed events; undefined while the rollups are built again. */
async function step(query: Query, keeping: Keeping, now: Instant): Promise<number | undefined> {
  const state = await lockState(query);
  if (state === undefined) return undefined;
  const work = nextExpired(createRollupStore(query), keeping, now, EVENTS_A_STEP);
  const expired = await run(work, () => undefined);
  return expired === undefined ? 0 : (await removeFrom(query, state, expired, keeping.counts)).events;
}

/** Deletes users who have no event any more. The lock keeps builds from giving one of them an event meanwhile. */
async function sweepUsers(query: Query): Promise<void> {
  const state = await lockState(query);
  if (state === undefined) return;
  const unused = await run(unusedUsers(createRollupStore(query), state.users), () => undefined);
  for (let at = 0; at < unused.length; at += USERS_A_STEP)
    await query(DELETE_USERS, [unused.slice(at, at + USERS_A_STEP)]);
  if (unused.length > 0) await takeOut(query, state, noRemovedRows());
}

/** Of several processes, one at a time removes events. */
export const openExpiry = (
  database: Database,
  { catchUp }: Pick<RollupBuild, "catchUp">,
  keeping: Keeping,
  now: () => Instant,
  onRetry: OnRetry,
): Expiry =>
  createExpiry(keeping, now, onRetry, {
    catchUp,
    remove: () => database.transaction((query) => step(query, keeping, now())),
    sweep: async (signal) => {
      await sweepValues(database, signal);
      await database.transaction(sweepUsers);
    },
  });
