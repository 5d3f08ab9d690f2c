import { setTimeout as sleep } from "node:timers/promises";
import { type ExpiryProgress, expires, type Keeping } from "../../domain/events/expiry.ts";
import type { OnRetry } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import { nextExpired, unusedUsers } from "../rollups/removal/expired.ts";
import { noRemovedRows } from "../rollups/removal/removed-rows.ts";
import { run } from "../rollups/work.ts";
import type { Query } from "./client.ts";
import type { Database } from "./database.ts";
import { lockState, removeFrom, sweepValues } from "./people/event-removal.ts";
import type { RollupBuild } from "./reports/rollup-build.ts";
import { createRollupStore } from "./reports/rollup-store.ts";
import { takeOut } from "./reports/rollup-writer.ts";

/** Removes events that are older than they are kept, in small transactions; of several processes one at a time. */
export interface Expiry {
  start(): void;
  /** Undefined where everything is kept. */
  progress(): ExpiryProgress | undefined;
  /** Ends after the current step. */
  stop(): Promise<void>;
}

const EVENTS_A_STEP = 1_000;
const USERS_A_STEP = 5_000;
const BUILD_MS = 5_000;
const PAUSE_MS = 5;
const CHECK_EVERY_MS = 60_000;

const DELETE_USERS = "delete from event_users where user_id = any($1::text[])";

/** The number of removed events; undefined while the rollups are built again. */
async function step(query: Query, keeping: Keeping, now: Instant): Promise<number | undefined> {
  const state = await lockState(query);
  if (state === undefined) return undefined;
  const work = nextExpired(createRollupStore(query), keeping, now, EVENTS_A_STEP);
  const expired = await run(work, () => undefined);
  return expired === undefined ? 0 : removeFrom(query, state, [expired.hour], expired.isRemoved);
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

export function createExpiry(
  database: Database,
  build: Pick<RollupBuild, "catchUp">,
  keeping: Keeping,
  now: () => Instant,
  onRetry: OnRetry,
): Expiry {
  const stopping = new AbortController();
  const { signal } = stopping;
  let removed = 0;
  let pending = expires(keeping);
  let working: Promise<void> | undefined;

  async function removeExpired(): Promise<number> {
    let events = 0;
    while (!signal.aborted) {
      const gone = await database.transaction((query) => step(query, keeping, now()));
      if (gone === 0) return events;
      events += gone ?? 0;
      removed += gone ?? 0;
      await sleep(gone === undefined ? BUILD_MS : PAUSE_MS, undefined, { signal, ref: false });
    }
    return events;
  }

  async function pass(): Promise<void> {
    await build.catchUp(Date.now() + BUILD_MS);
    if ((await removeExpired()) > 0) {
      await sweepValues(database, signal);
      await database.transaction(sweepUsers);
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
