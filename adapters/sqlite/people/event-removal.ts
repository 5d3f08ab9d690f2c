import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import { type LostValues, noRemovedRows } from "../../rollups/removal/removed-rows.ts";
import { userKey } from "../../rollups/store.ts";
import type { Planner, RollupBuild } from "../reports/rollup-build.ts";
import { isCurrent } from "../reports/rollup-store.ts";
import type { RollupWriter } from "../reports/rollup-writer.ts";
import { createStepSize } from "../step-size.ts";
import type { Writer } from "../writer.ts";
import type { RemovalPlanner } from "./removal-planner.ts";
import type { PropertyId } from "./removal-plans.ts";
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
  /** Deletes the values of properties that no event has any more. It looks at the lost values, or without them at all. */
  sweepValues(signal: AbortSignal, lost?: LostValues): Promise<void>;
  /** Deletes the alias, within the transaction of the caller. */
  forget(alias: string): void;
}

export interface RemovalParts {
  readonly db: Database;
  readonly writer: Writer;
  readonly build: Pick<RollupBuild, "catchUp" | "alone">;
  readonly rollups: RollupWriter;
  readonly remove: Remove;
  /** Plans a build on this thread. */
  readonly plan: Planner;
  readonly planner: RemovalPlanner;
}

const NUMBER = "select number from event_users where user_id = ?";
// Built by the transaction that detaches the user; where more is unbuilt, a build comes first.
const MOST_UNBUILT = 2_000;
const BUILD_MS = 1_000;
const RETRY_MS = 50;
// The work of one transaction before its commit, which takes as long again: a write that arrives waits for both.
const STEP_MS = 3;
// Where other programs share the processor, fewer hours would take as long.
const LEAST_HOURS = 8;
const MOST_HOURS = 256;
const ROWS_A_STEP = 1_000;
// Builds of another process may make one plan after another void.
const MOST_PLANS = 10;

/** Gives a user's number to an alias: see `EventRemoval.detach`. */
function createDetach({ db, writer, build, rollups, plan }: RemovalParts): EventRemoval["detach"] {
  const newestId = db.prepare<[], number>("select coalesce(max(id), 0) from events").pluck();
  const rename = db.prepare<[string, string]>(
    "update or ignore event_users set user_id = ? where user_id = ?",
  );
  const numberOf = db.prepare<[string], number>(NUMBER).pluck();

  const isKnown = (alias: string): boolean => isCurrent(rollups.state()) && numberOf.get(alias) !== undefined;

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

  return async (userId, alias, signal) => {
    while (!signal.aborted && !isKnown(alias)) {
      await build.catchUp(Date.now() + BUILD_MS);
      if (await writer.write(ROWS_A_STEP, () => detachNow(userId, alias))) return;
      await sleep(RETRY_MS, undefined, { ref: false });
    }
  };
}

/** Deletes values without events: see `EventRemoval.sweepValues`. */
function createValueSweep({
  db,
  writer,
  build,
  rollups,
  planner,
}: RemovalParts): EventRemoval["sweepValues"] {
  const properties = db.prepare<[], PropertyId>(
    "select id, type_id from event_properties where distinct_values is not null",
  );
  const deleteValue = db.prepare<[number, string]>(
    "delete from event_values where property_id = ? and value = ?",
  );

  /** False where another process has built meanwhile. */
  async function sweep(property: PropertyId, lost: ReadonlySet<number> | undefined): Promise<boolean> {
    const unused = await planner.unusedValues(property, lost);
    if (unused === undefined || unused.keys.length === 0) return true;
    return writer.write(unused.keys.length, () => {
      if (rollups.state().build !== unused.build) return false;
      for (const value of unused.keys) deleteValue.run(property.id, value);
      rollups.takeOut(noRemovedRows());
      return true;
    });
  }

  return async (signal, lost) => {
    for (const property of properties.all()) {
      if (lost !== undefined && !lost.has(property.id)) continue;
      for (let plans = 0; plans < MOST_PLANS && !signal.aborted; plans += 1)
        if (await build.alone(() => sweep(property, lost?.get(property.id)))) break;
    }
  };
}

export function createEventRemoval(parts: RemovalParts): EventRemoval {
  const { db, writer, build, rollups, remove, planner } = parts;
  const numberOf = db.prepare<[string], number>(NUMBER).pluck();
  const deleteUser = db.prepare<[string]>("delete from event_users where user_id = ?");

  /** Undefined where the rollups know the alias no more, and "void" where another process has built meanwhile. */
  async function removeIn(
    alias: string,
    hours: readonly number[],
    act: (remove: () => RemovedEvents | undefined) => RemovedEvents | undefined,
  ): Promise<RemovedEvents | "void" | undefined> {
    const planned = await planner.ofUser(alias, hours);
    if (planned === undefined) return undefined;
    const removed = await writer.writeUnsynced(ROWS_A_STEP, () => act(() => remove(planned)));
    return removed ?? "void";
  }

  return {
    detach: createDetach(parts),

    async removeAll(alias, signal, onRemove) {
      // Without a number the user has no events.
      if (numberOf.get(alias) === undefined) return true;
      const hours = await planner.hoursOf(alias);
      const step = createStepSize({ aimMs: STEP_MS, least: LEAST_HOURS, most: MOST_HOURS });
      for (let at = 0; at < hours.length; ) {
        if (signal.aborted) return false;
        const some = hours.slice(at, at + step.items);
        const removed = await build.alone(() =>
          removeIn(alias, some, (act) => {
            const gone = step.timed(act);
            if (gone !== undefined) onRemove(gone);
            return gone;
          }),
        );
        if (removed === undefined) return false;
        if (removed !== "void") at += some.length;
        await nextTurn();
      }
      return isCurrent(rollups.state());
    },

    sweepValues: createValueSweep(parts),

    forget: (alias) => void deleteUser.run(alias),
  };
}
