import type { EventSource, QuestionStore } from "../store.ts";

/** The data of an answer: rollups and events as of one moment. */
export interface Snapshot {
  readonly store: QuestionStore;
  readonly source: EventSource;
  /** Users are numbered from 1 to this number. */
  readonly users: number;
}
