import {
  type DayKey,
  noRows,
  type PartKey,
  type PostingsRow,
  type RollupRows,
  type RollupStore,
  type ValueHourKey,
  type VisitorsRow,
} from "../store.ts";
import type { Work } from "../work.ts";

/** The reads of a removal. */
export interface RemovalStore extends RollupStore {
  /** All parts of these types in these hours. */
  visitorsAt(typeIds: readonly number[], hours: readonly number[]): Work<readonly VisitorsRow[]>;
  /** The parts of these types in these hours that have these bytes somewhere in their entries. */
  postingsWith(
    typeIds: readonly number[],
    hours: readonly number[],
    bytes: Uint8Array,
  ): Work<readonly PostingsRow[]>;
}

/** Keys of rows with nothing left in them. */
export interface EmptiedRows {
  readonly types: number[];
  readonly properties: number[];
  readonly hours: DayKey[];
  readonly valueHours: ValueHourKey[];
  readonly visitors: PartKey[];
  readonly postings: PartKey[];
}

/** Values that may be in no event any more, by the ids of their properties: an hour has lost its last one. */
export type LostValues = Map<number, Set<number>>;

export function addLost(all: LostValues, more: LostValues): void {
  for (const [property, values] of more) {
    const known = all.get(property) ?? new Set();
    all.set(property, known);
    for (const value of values) known.add(value);
  }
}

/** How the rollups change where events are removed: rows to put, and rows to delete. */
export interface RemovedRows {
  readonly put: RollupRows;
  readonly emptied: EmptiedRows;
  readonly lostValues: LostValues;
}

export const noRemovedRows = (): RemovedRows => ({
  put: noRows(),
  emptied: { types: [], properties: [], hours: [], valueHours: [], visitors: [], postings: [] },
  lostValues: new Map(),
});
