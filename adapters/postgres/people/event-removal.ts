import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Marked } from "../../background/erasures.ts";
import { ROWS_A_BUILD, RollupBuilder } from "../../rollups/build/builder.ts";
import { keptRows } from "../../rollups/kept-counts.ts";
import { ALL_HOURS, hoursOfUsers } from "../../rollups/reader.ts";
import type { Selection } from "../../rollups/removal/postings.ts";
import { unusedValues } from "../../rollups/removal/properties.ts";
import { type LoadEvents, planRemoval, type Removal } from "../../rollups/removal/removal.ts";
import { addLost, type LostValues, noRemovedRows } from "../../rollups/removal/removed-rows.ts";
import { type PropertyRow, userKey } from "../../rollups/store.ts";
import { run, waitFor } from "../../rollups/work.ts";
import type { Query } from "../client.ts";
import type { Database } from "../database.ts";
import { createKeptStore, putKept } from "../reports/kept-counts.ts";
import { buildSome, type RollupBuild } from "../reports/rollup-build.ts";
import { createRemovalStore, createRollupStore } from "../reports/rollup-store.ts";
import {
  isBehind,
  isCurrent,
  SELECT_STATE,
  type StoredState,
  setState,
  takeOut,
} from "../reports/rollup-writer.ts";

// Removes the events of a user, and what the rollups have of them, in bounded transactions. Each holds the lock of the
// rollups' state, as a build does.

const LOCK_STATE = `${SELECT_STATE} for update`;
const NUMBER = "select number from event_users where user_id = $1";
const RENAME = `
  update event_users set user_id = $1 where user_id = $2 and not exists (select from event_users where user_id = $1)`;
const LOAD = "select id, event_type, properties from events where id = any($1::bigint[])";
const REMOVE = "delete from events where id = any($1::bigint[])";
const PROPERTIES = "select id, type_id from event_properties where distinct_values is not null order by id";
const REMOVE_VALUES = "delete from event_values where property_id = $1 and value = any($2::text[])";

const BUILD_MS = 1_000;
const RETRY_MS = 50;
// Steps of a build within the transaction that detaches a user; where more is unbuilt, other builds come first.
const MOST_BUILDS = 5;
const HOURS_A_STEP = 64;

/** The state with its lock; undefined while the rollups do not contain all events of before. */
export async function lockState(query: Query): Promise<StoredState | undefined> {
  const [state] = await query<StoredState>(LOCK_STATE);
  return state === undefined || !isCurrent(state) || isBehind(state) ? undefined : state;
}

async function numberOf(query: Query, alias: string): Promise<number | undefined> {
  const [row] = await query<{ number: number }>(NUMBER, [alias]);
  return row?.number;
}

async function detachNow(query: Query, userId: string, alias: string): Promise<boolean> {
  if ((await lockState(query)) === undefined) return false;
  const builder = new RollupBuilder({ loadsAllUsers: false, maxRows: ROWS_A_BUILD });
  for (let builds = 0; (await buildSome(query, builder)) !== "idle"; builds += 1) {
    if (builds === MOST_BUILDS) return false;
  }
  await query(RENAME, [alias, userKey(userId)]);
  const state = await lockState(query);
  if (state !== undefined) await takeOut(query, state, noRemovedRows());
  return true;
}

/**
 * Gives the user's number in the rollups to the alias, once all events stored before are in them: events that arrive later
 * belong to a new number.
 */
export async function detach(
  database: Database,
  build: Pick<RollupBuild, "catchUp">,
  { user_id, alias }: { readonly user_id: string; readonly alias: string },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && (await numberOf(database.query, alias)) === undefined) {
    await build.catchUp(Date.now() + BUILD_MS);
    if (await database.transaction((query) => detachNow(query, user_id, alias))) return;
    await sleep(RETRY_MS, undefined, { ref: false });
  }
}

async function hoursOf({ query }: Database, user: number): Promise<number[]> {
  return run(hoursOfUsers(createRollupStore(query), [user], ALL_HOURS), () => nextTurn());
}

const loadBy =
  (query: Query): LoadEvents =>
  (ids) =>
    waitFor(query<{ id: number; event_type: string; properties: string | null }>(LOAD, [ids]));

export interface RemovedEvents {
  readonly events: number;
  readonly lostValues: LostValues;
}

// Users who are marked meanwhile wait for this transaction: what it counts was still shown.
const LOCK_ERASING = "lock table erasing in share mode";
const HIDDEN = "select * from erasing";

async function keepCounts(query: Query, events: Removal["events"]): Promise<void> {
  await query(LOCK_ERASING);
  const hidden = await query<Marked>(HIDDEN);
  const work = keptRows(createKeptStore(query), createRollupStore(query), events, hidden);
  await putKept(query, await run(work, () => undefined));
}

/** Removes events, and what the rollups have of them. Where `keepsCounts` their number stays. */
export async function removeFrom(
  query: Query,
  state: StoredState,
  selection: Selection,
  keepsCounts = false,
): Promise<RemovedEvents> {
  const work = planRemoval(createRemovalStore(query), loadBy(query), selection);
  const { rows, ids, events, needsRebuild } = await run(work, () => undefined);
  if (ids.length === 0) return { events: 0, lostValues: new Map() };
  if (keepsCounts) await keepCounts(query, events);
  await query(REMOVE, [ids]);
  if (needsRebuild) await setState(query, { ...state, format: 0 });
  else await takeOut(query, state, rows);
  return { events: ids.length, lostValues: rows.lostValues };
}

/** Undefined where the rollups know the alias no more. */
async function removeIn(
  query: Query,
  alias: string,
  hours: readonly number[],
): Promise<RemovedEvents | undefined> {
  const state = await lockState(query);
  const user = state && (await numberOf(query, alias));
  if (state === undefined || user === undefined) return undefined;
  return removeFrom(query, state, { hours, user });
}

/**
 * Removes all events of the alias. `onRemove` is called in each transaction with the number of its events. False where it was
 * stopped, or where the rollups are built again and know the user by the id.
 */
export async function removeEvents(
  database: Database,
  alias: string,
  signal: AbortSignal,
  onRemove: (query: Query, events: number) => Promise<unknown>,
  lost: LostValues | undefined,
): Promise<boolean> {
  const user = await numberOf(database.query, alias);
  // Without a number the user has no events.
  if (user === undefined) return true;
  const hours = await hoursOf(database, user);
  for (let at = 0; at < hours.length; at += HOURS_A_STEP) {
    if (signal.aborted) return false;
    const removed = await database.transaction(async (query) => {
      const gone = await removeIn(query, alias, hours.slice(at, at + HOURS_A_STEP));
      if (gone !== undefined && gone.events > 0) await onRemove(query, gone.events);
      return gone;
    });
    if (removed === undefined) return false;
    if (lost !== undefined) addLost(lost, removed.lostValues);
  }
  const [state] = await database.query<StoredState>(SELECT_STATE);
  return state !== undefined && isCurrent(state);
}

/** Deletes the values of properties that no event has any more: of all values, or of those that were lost. */
export async function sweepValues(database: Database, signal: AbortSignal, lost?: LostValues): Promise<void> {
  for (const property of await database.query<Pick<PropertyRow, "id" | "type_id">>(PROPERTIES)) {
    const { id } = property;
    if (signal.aborted) return;
    if (lost !== undefined && !lost.has(id)) continue;
    await database.transaction(async (query) => {
      const state = await lockState(query);
      if (state === undefined) return;
      const unused = await run(
        unusedValues(createRemovalStore(query), property, lost?.get(id)),
        () => undefined,
      );
      if (unused.length === 0) return;
      await query(REMOVE_VALUES, [id, unused.map(({ value }) => value)]);
      await takeOut(query, state, noRemovedRows());
    });
  }
}
