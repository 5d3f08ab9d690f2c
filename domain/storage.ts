import type { NewEvent } from "./events/event.ts";
import type { ExpiryProgress } from "./events/expiry.ts";
import type { DayCell, MeasuredExperiment } from "./experiments/cells.ts";
import type { GroupInput } from "./experiments/exclusion.ts";
import type { Experiment, ExperimentStatus, NewExperiment } from "./experiments/experiment.ts";
import type { Forced } from "./experiments/lifecycle.ts";
import type { NewMetric } from "./experiments/metric.ts";
import type { SegmentUser } from "./experiments/results/segments.ts";
import type { CovariateValue, NotCounted, UserTotal } from "./experiments/user-total.ts";
import type { Erasure, ErasureFigures, ErasurePage, NewErasure } from "./people/erasure.ts";
import type { LinkOutcome, NewLink } from "./people/links.ts";
import type { PersonValue } from "./people/personal-data.ts";
import type { StoredPerson } from "./people/profile.ts";
import type { Annotation } from "./reports/annotation.ts";
import type { Answered, Asking } from "./reports/answer.ts";
import type { TypeSummary } from "./reports/catalogue.ts";
import type { EventFilter, EventPage, StoredEvent } from "./reports/event-list.ts";
import type { FunnelCount, FunnelQuestion } from "./reports/funnel.ts";
import type { TimeRange } from "./reports/range.ts";
import type { CohortCount, RetentionQuestion } from "./reports/retention.ts";
import type { SavedQuestion } from "./reports/saved-question.ts";
import type { TrendQuestion, TrendSeries } from "./reports/trend.ts";
import type { Fact, FactsQuestion } from "./reports/user-facts.ts";
import type { ShareLink } from "./shares/share-link.ts";
import type { Instant } from "./time.ts";

// THE PORT. Each method is one atomic act: it happened wholly, and is on the disk, when its promise fulfils; or it
// did not happen at all. There is no transaction to hold open, so that engines of any kind can keep these promises.
// A method that cannot reach its storage rejects with a Failure of code `unavailable`, and nothing has changed.

/** An answer for each of what was asked, in its order. */
export type ForEach<T extends readonly unknown[], Answer> = { readonly [index in keyof T]: Answer };

const isForEach = <T extends readonly unknown[], Answer>(
  items: T,
  answers: readonly Answer[],
): answers is readonly Answer[] & ForEach<T, Answer> => answers.length === items.length;

/** The answers as those of the items, one for each; an engine that gives another number of them is at fault. */
export function answersFor<const T extends readonly unknown[], Answer>(
  items: T,
  answers: readonly Answer[],
): ForEach<T, Answer> {
  if (isForEach(items, answers)) return answers;
  throw new Error(`storage gave ${answers.length} answers for ${items.length} items`);
}

export interface AppendedEvent {
  readonly id: number;
  readonly created_at: Instant;
  /** An event with its message id was stored before; `id` and `created_at` are that one's. */
  readonly duplicate: boolean;
}

export interface EventStore {
  /**
   * Stores all events or none, and answers for each in its order. One message id is stored once, for ever.
   * Where a running experiment's metric is made of events, an assigned user's event changes its cells in the same act.
   */
  appendEvents<const T extends readonly NewEvent[]>(events: T): Promise<ForEach<T, AppendedEvent>>;
}

/**
 * Questions about events. The answers are exact, and include everything that was stored when they were asked. One that
 * takes longer than the storage has been given rejects with a Failure of code `unavailable` that says what to narrow;
 * so does one that nobody waits for any more.
 */
export interface EventQuestions {
  /** Newest first: by time, events of one time by id. */
  listEvents(page: EventPage, asking?: Asking): Promise<readonly StoredEvent[]>;
  /** Every type of event with its properties, the most frequent first. */
  eventTypes(asking?: Asking): Promise<Answered<readonly TypeSummary[]>>;
  trend(question: TrendQuestion, asking?: Asking): Promise<Answered<readonly TrendSeries[]>>;
  funnel(question: FunnelQuestion, asking?: Asking): Promise<Answered<FunnelCount>>;
  /** A count for each cohort, in the order of their periods. */
  retention(question: RetentionQuestion, asking?: Asking): Promise<Answered<readonly CohortCount[]>>;
  /** A fact about each user of the question, in its order; events under another id of the same person are included. */
  userFacts(question: FactsQuestion, asking?: Asking): Promise<readonly Fact[]>;
}

export interface ExpiredEvents {
  /** The time before which events of these types have left only their number, which a list lacks; undefined for none. */
  countsOnlyBefore(filter: Pick<EventFilter, "event_types" | "from" | "to">): Promise<Instant | undefined>;
}

export interface PeopleStore {
  /**
   * Stores that two ids are one person, or says why not; of contradicting calls at the same time one wins. From then on
   * every answer about users counts both as one. The events and assignments of either id stay as they are.
   */
  linkUsers(link: NewLink): Promise<LinkOutcome>;
  /** The links and variants of the person that an id belongs to, which may be none. */
  findPerson(userId: string): Promise<StoredPerson>;
  /**
   * The values of some ids, or all, among the next thousands of all values, in the order of the values' ids. `through` is
   * where the next slice begins; undefined at the end.
   */
  listValues(page: ValuePage): Promise<ValueSlice>;
}

export interface ValuePage {
  /** Undefined for everybody's. */
  readonly user_ids?: readonly string[] | undefined;
  /** Only values with ids above this one. */
  readonly after: number | undefined;
}

export interface ValueSlice {
  readonly values: readonly PersonValue[];
  readonly through: number | undefined;
}

export interface ErasureStore {
  /**
   * Erases everything that is stored about a person under any of their ids: events, assignments, values and links. No answer
   * ever shows a part of it, and results are those of experiments without the person. Fulfils when it is done, which takes
   * as long as there are events; a process that ends before leaves the rest to the next one. Undefined where nothing was
   * stored. A call for a person who is being erased waits for that erasure. The keys of messages stay, so that a late retry
   * stores nothing. What arrives meanwhile may be erased too.
   */
  eraseUser(erasure: NewErasure): Promise<Erasure | undefined>;
  /** Finished erasures, newest first. */
  listErasures(page: ErasurePage): Promise<readonly Erasure[]>;
}

export interface AnnotationPage extends TimeRange {
  readonly limit: number;
}

export interface AnnotationStore {
  addAnnotation(annotation: Annotation): Promise<void>;
  /** Those of a range, newest first; of one time, by their ids. */
  listAnnotations(page: AnnotationPage): Promise<readonly Annotation[]>;
  /** Deletes it; false where there is none. */
  deleteAnnotation(annotationId: string): Promise<boolean>;
}

export interface SavedQuestionStore {
  /** All of them, oldest first; of one time, by their ids. */
  listSavedQuestions(): Promise<readonly SavedQuestion[]>;
  /**
   * Stores the question that `put` makes of all stored ones, nobody else changing them meanwhile. It replaces the one of its
   * id. What `put` throws rejects the call. It is pure, and may be called more than once.
   */
  putSavedQuestion(put: (stored: readonly SavedQuestion[]) => SavedQuestion): Promise<SavedQuestion>;
  /** Deletes it; false where there is none. */
  deleteSavedQuestion(questionId: string): Promise<boolean>;
}

export interface SharePage {
  readonly limit: number;
  /** Only links older than this one. */
  readonly before?: Pick<ShareLink, "created_at" | "share_id"> | undefined;
}

export interface ShareStore {
  addShare(share: ShareLink): Promise<void>;
  /** The link whose secret has this digest, expired or not; undefined where there is none, or it was deleted. */
  findShare(digest: string): Promise<ShareLink | undefined>;
  /** Newest first; of one time, by their ids. */
  listShares(page: SharePage): Promise<readonly ShareLink[]>;
  /** Deletes it; false where there is none. From then on no process finds it. */
  deleteShare(shareId: string): Promise<boolean>;
}

export interface ChangedExperiment {
  readonly experiment: Experiment;
  readonly forced: readonly Forced[];
  readonly at: Instant;
}

export interface ExperimentPage {
  readonly limit: number;
  /** Only experiments of this status, or of one of these. */
  readonly status?: ExperimentStatus | readonly ExperimentStatus[] | undefined;
  /** Only experiments with ids below this one. */
  readonly before?: number | undefined;
}

export interface ExperimentStore {
  /**
   * Stores the experiment with its variants; undefined where its name is taken. With a `group` it gets a range of the
   * group's places that no open experiment has; rejects with `invalid` where none is left.
   */
  createExperiment(experiment: NewExperiment, group?: GroupInput | null): Promise<Experiment | undefined>;
  findExperiment(id: number): Promise<Experiment | undefined>;
  /** No two experiments have one name. */
  findExperimentByName(name: string): Promise<Experiment | undefined>;
  /** Newest first. */
  listExperiments(page: ExperimentPage): Promise<readonly Experiment[]>;
  /**
   * Changes an experiment to what `change` makes of the stored one, nobody else changing it meanwhile; undefined where
   * there is none. What `change` throws rejects the call. It is pure, and may be called more than once. A change of
   * weights moves no assigned user, and is remembered for the users that are assigned from then on.
   */
  updateExperiment(
    id: number,
    change: (stored: Experiment) => ChangedExperiment,
  ): Promise<Experiment | undefined>;
  /**
   * Deletes it; false where there is none. When the promise fulfils, no method shows anything of it and its name is free.
   * An engine may remove the rows of its users later, bit by bit, also after a restart.
   */
  deleteExperiment(id: number): Promise<boolean>;
}

export interface Assignment {
  readonly user_id: string;
  readonly variant_id: number;
  readonly assigned_at: Instant;
}

export interface KnownAssignment extends Assignment {
  /** Shown to a tester, who is not in the experiment; `assigned_at` is when that was decided. */
  readonly forced: boolean;
}

/** A proposed assignment, and the experiment that it is for. */
export interface ExperimentCandidate extends Candidate {
  readonly test_id: number;
}

/** Facts about a user at the time of the assignment, for segments and covariates. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** A proposed assignment, with what is known of its user. */
export interface Candidate extends Assignment {
  readonly attributes?: Attributes | undefined;
  /** Of the metrics whose covariate is made of events. */
  readonly covariates?: readonly CovariateValue[] | undefined;
}

export interface WonAssignment extends Assignment {
  /** This call stored it; false where the user had one, which is then what is answered. */
  readonly created: boolean;
  /** False where the experiment has its planned users: nothing was stored, and the answer is what was proposed. */
  readonly enrolled: boolean;
}

/**
 * Of a person whose ids are linked, the first assignment of any of them is the variant of all, and is answered for each;
 * values and events of an id without an assignment of its own count under it.
 */
export interface AssignmentStore {
  findAssignment(testId: number, userId: string): Promise<KnownAssignment | undefined>;
  /** One user's assignments in these experiments, by experiment; one without an assignment is left out. */
  findAssignments(testIds: readonly number[], userId: string): Promise<ReadonlyMap<number, KnownAssignment>>;
  /**
   * Gives each user the variant proposed, unless the user or another id of the person has one already: the first row ever stored wins, however
   * many callers race for it. Answers for each candidate, in order, the assignment that won. The call with the last of
   * the experiment's planned users closes it: all users of that call are enrolled, and no others afterwards.
   */
  assign<const T extends readonly Candidate[]>(
    testId: number,
    candidates: T,
  ): Promise<ForEach<T, WonAssignment>>;
  /**
   * Like `assign`, for one candidate in each of many experiments. Each is an act of its own: where the call rejects, some
   * may be stored, and repeating it is safe. Answers undefined for an experiment that is not there.
   */
  assignUser(candidates: readonly ExperimentCandidate[]): Promise<readonly (WonAssignment | undefined)[]>;
}

export type AppendedMetric =
  | {
      readonly kind: "stored";
      readonly id: number;
      readonly variant_id: number;
      /** Its message was stored before: `id` and `variant_id` are those of that time, and `reason` is null. */
      readonly duplicate: boolean;
      /** Why it does not count; null where it does. */
      readonly reason: NotCounted | "tester" | null;
    }
  | { readonly kind: "not_assigned" }
  /** The user's total would be beyond ±1e13: nothing was stored. */
  | { readonly kind: "total_out_of_range" };

/** Counted values of one user on one metric, and those on its denominator. */
export interface UserObservation extends Pick<UserTotal, "own" | "denominator"> {
  readonly user_id: string;
}

export interface ObservationPage {
  /** Only users whose ids sort after this one; null for the first page. */
  readonly after: string | null;
  readonly limit: number;
}

export interface SegmentPage {
  readonly users: readonly SegmentUser[];
  readonly next: string | null;
}

export interface MetricStore {
  /**
   * Stores the values of assigned users, each under its user's variant, and answers for each value in its order.
   * One message id is stored once per test. The cells change in the same act, unless the value is a tester's, or
   * the experiment was stopped: then it is kept, but changes no result.
   */
  appendMetrics<const T extends readonly NewMetric[]>(
    testId: number,
    metrics: T,
  ): Promise<ForEach<T, AppendedMetric>>;
  /**
   * The experiment, and the sums that its results are computed from as of one moment; undefined where there is no such
   * experiment. A person whose ids are linked counts once: see domain/experiments/shared-people.ts. While nothing of them
   * changes, by this process or another, it may be the same object as before.
   */
  experimentCells(testId: number): Promise<MeasuredExperiment | undefined>;
  /**
   * What each day added to them, oldest first. A value is of the day on which it happened, but of none before the latest
   * day that changed its user's observation, so that the days up to any one are the cells of the users they have. May be
   * the same object as before while nothing has changed.
   */
  dayCells(testId: number): Promise<readonly DayCell[]>;
  /**
   * The people who have a counted value of the metric, at most `limit`, in an order of their ids that is the engine's own
   * and always the same; none where there is no such experiment.
   */
  userObservations(
    testId: number,
    metricName: string,
    page: ObservationPage,
  ): Promise<readonly UserObservation[]>;
  /**
   * The experiment's users with a property among the attributes that were sent with their assignment: the next `limit`
   * assignments in an order of the users' ids. `next` is where the next page starts, null after the last one.
   */
  segmentUsers(testId: number, property: string, page: ObservationPage): Promise<SegmentPage>;
}

/**
 * Whether a storage that can be read takes writes: `read-only` where its permissions or a standby server forbid them,
 * `full` where the disk has no room, `moved` where its files are no longer in their place.
 */
export interface StorageCondition {
  readonly state: "ok" | "read-only" | "full" | "moved";
  /** The engine's own error, for the log. */
  readonly cause?: unknown;
  /** A rebuild of the rollups that runs in the background. */
  readonly rebuild?: RebuildProgress | undefined;
  /** The removal of events that are older than they are kept; undefined where everything is kept. */
  readonly expiry?: ExpiryProgress | undefined;
  /** Users who are being erased. */
  readonly erasuresWaiting?: number | undefined;
}

/** How many of all stored events are in the rollups again. Until all are, questions are answered from the events. */
export interface RebuildProgress {
  readonly done: number;
  readonly total: number;
}

/** Told of work in the background that failed and is tried again, so that it can be logged. */
export type OnRetry = (
  work: "rollups" | "tallies" | "deletions" | "erasures" | "expiry",
  error: unknown,
) => void;

/** Figures of a storage, for monitoring. */
export interface StorageFigures {
  /** Rows that were handed over by this process and are not committed yet. */
  readonly rowsWaiting: number;
  /** Stored events that are not in the rollups yet. */
  readonly eventsNotInRollups: number;
  /** When the oldest of them was stored; null where all events are in. */
  readonly oldestNotInRollups: Instant | null;
  readonly databaseBytes: number;
  /** Undefined where everything is kept. */
  readonly expiry?: ExpiryProgress | undefined;
  readonly erasures: ErasureFigures;
  /** Size of the write-ahead log, where it is this database's own. */
  readonly logBytes?: number | undefined;
}

export interface Storage
  extends EventStore,
    EventQuestions,
    ExpiredEvents,
    PeopleStore,
    ErasureStore,
    AnnotationStore,
    SavedQuestionStore,
    ShareStore,
    ExperimentStore,
    AssignmentStore,
    MetricStore {
  /**
   * Whether a write that arrives now is stored soon. It costs nothing to ask, so that a server can leave a large body
   * unread while the answer is false. It is no promise: each write is judged again when it is handed over.
   */
  hasRoom(): boolean;
  /** Tries the storage, for the health check. Rejects with `unavailable` when it cannot be read. */
  check(): Promise<StorageCondition>;
  /** Measures the storage. Costs a few reads, whatever its size. Rejects with `unavailable` when it cannot be read. */
  figures(): Promise<StorageFigures>;
  /** Finishes what was begun, then lets go. Nothing may be asked of the storage afterwards. */
  close(): Promise<void>;
}
