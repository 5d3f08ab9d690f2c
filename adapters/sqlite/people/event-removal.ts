import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import { ALL_HOURS, hoursOfUsers } from "../../rollups/reader.ts";
import { unusedValues } from "../../rollups/removal/properties.ts";
import { type LostValues, noRemovedRows } from "../../rollups/removal/removed-rows.ts";
import { type PropertyRow, userKey } from "../../rollups/store.ts";
import { run, runNow } from "../../rollups/work.ts";
import type { Planner, RollupBuild } from "../reports/rollup-build.ts";
import { createRemovalStore, isCurrent } from "../reports/rollup-store.ts";
import type { RollupWriter } from "../reports/rollup-writer.ts";
import type { Writer } from "../writer.ts";
import type { Remove, RemovedEvents } from "./remover.ts";

/** Removes the events of a user, and what the rollups have of them, in bounded transactions. */
export interface EventRemoval {
  /**
   * Gives the user's number in the rollups to the alias, once all events stored before are in them: events that arrive
   * later belong to a new number.
   */
  detach(userId: string, alias: string, signal: AbortSignal): Promise<void>;
  /**
   * Removes all events of the alias. `onRemove` is called in each transaction. False where it was stopped, or where the
   * rollups are built again and know the user by the id.
   */
  removeAll(alias: string, signal: AbortSignal, onRemove: (removed: RemovedEvents) => void): Promise<boolean>;
  /** Deletes the values of properties that no event has any more: of all values, or of those that were lost. */
  sweepValues(signal: AbortSignal, lost?: LostValues): Promise<void>;
  /** Deletes the alias, within the transaction of the caller. */
  forget(alias: string): void;
}

export interface RemovalParts {
  readonly db: Database;
  readonly writer: Writer;
  readonly build: Pick<RollupBuild, "catchUp" | "start">;
  readonly rollups: RollupWriter;
  readonly remove: Remove;
  /** Plans a build on this thread. */
  readonly plan: Planner;
}

// Built by the transaction that detaches the user; where more is unbuilt, a build comes first.
const MOST_UNBUILT = 2_000;
const BUILD_MS = 1_000;
const RETRY_MS = 50;
// The work of one transaction: a write that arrives waits for it.
const STEP_MS = 8;
// Where other programs share the processor, fewer hours would take as long.
const LEAST_HOURS = 8;
const MOST_HOURS = 256;
const ROWS_A_STEP = 1_000;

/** How many hours a step takes: as many as take about as long as a step may, going by the last one. */
function createStepSize() {
  let hours = LEAST_HOURS;
  return {
    get hours() {
      return hours;
    },
    timed<T>(act: () => T): T {
      const startedAt = performance.now();
      const value = act();
      const took = Math.max(1, performance.now() - startedAt);
      const wanted = Math.round((hours * STEP_MS) / took);
      hours = Math.min(MOST_HOURS, 2 * hours, Math.max(LEAST_HOURS, wanted));
      return value;
    },
  };
}

export function createEventRemoval({ db, writer, build, rollups, remove, plan }: RemovalParts): EventRemoval {
  const store = createRemovalStore(db);
  const newestId = db.prepare<[], number>("select coalesce(max(id), 0) from events").pluck();
  const rename = db.prepare<[string, string]>(
    "update or ignore event_users set user_id = ? where user_id = ?",
  );
  const numberOf = db.prepare<[string], number>("select number from event_users where user_id = ?").pluck();
  const deleteUser = db.prepare<[string]>("delete from event_users where user_id = ?");
  const properties = db.prepare<[], Pick<PropertyRow, "id" | "type_id">>(
    "select id, type_id from event_properties where distinct_values is not null",
  );
  const deleteValue = db.prepare<[number, string]>(
    "delete from event_values where property_id = ? and value = ?",
  );

  /** False while more is unbuilt than one transaction builds. */
  function detachNow(userId: string, alias: string): boolean {
    const isBehind = (): boolean => rollups.state().through < (newestId.get() ?? 0);
    if (!isCurrent(rollups.state()) || (newestId.get() ?? 0) - rollups.state().through > MOST_UNBUILT)
      return false;
    for (let planned = plan(MOST_UNBUILT); isBehind() && planned !== undefined; planned = plan(MOST_UNBUILT))
      rollups.carryOut(planned);
    rename.run(alias, userKey(userId));
    rollups.takeOut(noRemovedRows());
    return true;
  }

  const hoursOf = (user: number): Promise<number[]> =>
    run(hoursOfUsers(store, [user], ALL_HOURS), () => nextTurn());

  /** Undefined where the alias is in the rollups no more. */
  function removeIn(alias: string, hours: readonly number[]): RemovedEvents | undefined {
    const user = isCurrent(rollups.state()) ? numberOf.get(alias) : undefined;
    if (user === undefined) return undefined;
    return remove({ hours, user });
  }

  return {
    async detach(userId, alias, signal) {
      for (;;) {
        if (signal.aborted || numberOf.get(alias) !== undefined) return;
        await build.catchUp(Date.now() + BUILD_MS);
        if (await writer.write(ROWS_A_STEP, () => detachNow(userId, alias))) return;
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    },

    async removeAll(alias, signal, onRemove) {
      const user = numberOf.get(alias);
      // Without a number the user has no events.
      if (user === undefined) return true;
      const hours = await hoursOf(user);
      const step = createStepSize();
      for (let at = 0; at < hours.length; ) {
        if (signal.aborted) return false;
        const some = hours.slice(at, at + step.hours);
        const removed = await writer.writeUnsynced(ROWS_A_STEP, () => {
          const gone = step.timed(() => removeIn(alias, some));
          if (gone !== undefined) onRemove(gone);
          return gone;
        });
        if (removed === undefined) return false;
        at += some.length;
        await nextTurn();
      }
      return isCurrent(rollups.state());
    },

    async sweepValues(signal, lost) {
      for (const property of properties.all()) {
        if (signal.aborted) return;
        if (lost !== undefined && !lost.has(property.id)) continue;
        await writer.write(1, () => {
          const unused = runNow(unusedValues(store, property, lost?.get(property.id)));
          for (const { value } of unused) deleteValue.run(property.id, value);
          if (unused.length > 0) rollups.takeOut(noRemovedRows());
        });
      }
    },

    forget: (alias) => void deleteUser.run(alias),
  };
}
