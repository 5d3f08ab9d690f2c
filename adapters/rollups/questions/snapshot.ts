import type { KeptStore } from "../kept-counts.ts";
import type { AssignmentSource, EventSource, LinkSource, QuestionStore } from "../store.ts";

/** The data of an answer: rollups and events as of one moment. */
export interface Snapshot {
  readonly store: QuestionStore;
  readonly source: EventSource;
  readonly links: LinkSource;
  readonly assignments: AssignmentSource;
  readonly kept: KeptStore;
  /** Users are numbered from 1 to this number. */
  readonly users: number;
}
