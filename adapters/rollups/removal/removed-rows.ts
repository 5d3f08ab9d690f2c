import {
  type DayKey,
  noRows,
  type PartKey,
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

/** How the rollups change where events are removed: rows to put, and rows to delete. */
export interface RemovedRows {
  readonly put: RollupRows;
  readonly emptied: EmptiedRows;
}

export const noRemovedRows = (): RemovedRows => ({
  put: noRows(),
  emptied: { types: [], properties: [], hours: [], valueHours: [], visitors: [], postings: [] },
});
