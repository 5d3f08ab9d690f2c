import { messageKey } from "../../domain/events/message-id.ts";
import type { Link } from "../../domain/people/links.ts";
import type { ValueType } from "../../domain/reports/catalogue.ts";
import type { EventPage, StoredEvent } from "../../domain/reports/event-list.ts";
import type { Instant } from "../../domain/time.ts";
import type { Work } from "./work.ts";

// THE STORE PORT: the rows that an engine stores for questions, and how they are read. Days and hours are whole ones since 1970, UTC.

/** The version of the rows and bytes below. A store of another version is rebuilt from the events. */
export const FORMAT = 2;

/** The type id of the figures that cover all event types. */
export const ALL_TYPES = 0;

/**
 * The property names of a type that rollups keep: the first ones that arrive. Clients that make names out of data would
 * otherwise add rows without end. Questions about any other name are answered from the events.
 */
export const MAX_NAMES = 1_000;

/** The number of properties that a type has in the rollups. */
export interface PropertyCount {
  readonly type_id: number;
  readonly named: number;
  /** Those whose values are counted. */
  readonly counted: number;
}

/** Which events the rollups contain, and the highest numbers assigned so far. */
export interface RollupState {
  /** Identifies the last build by a random number; 0 before the first one. */
  readonly build: number;
  readonly users: number;
  readonly types: number;
  readonly properties: number;
}

export const EMPTY_STATE: RollupState = { build: 0, users: 0, types: 0, properties: 0 };

/** Identifies one build, or one removal. */
export const newBuildNumber = (): number => 1 + Math.floor(Math.random() * (Number.MAX_SAFE_INTEGER - 1));

export interface UserRow {
  /** A key of the user: see `userKey`. */
  readonly user_id: string;
  /** Numbers of users are dense, starting at 1. */
  readonly number: number;
}

const MAX_KEY_CHARACTERS = 500;

/** The text itself, or a digest of one that is too long for an index of PostgreSQL. Only other programs store such texts. */
const keyOf = (text: string): string =>
  text.length <= MAX_KEY_CHARACTERS ? text : `${text.length} ${messageKey(text).join(" ")}`;

export const userKey = keyOf;
export const typeKey = keyOf;

export interface TypeRow {
  readonly id: number;
  readonly event_type: string;
  readonly count: number;
  readonly first_seen: Instant;
  readonly last_seen: Instant;
}

export interface PropertyKey {
  readonly type_id: number;
  /** JSON, since a name may contain what a text column of PostgreSQL refuses: U+0000 and lone surrogates. */
  readonly name: string;
}

export interface PropertyRow extends PropertyKey {
  readonly id: number;
  /** In how many events the property has a value of each type. */
  readonly value_types: Readonly<Record<ValueType, number>>;
  /** Null where the property has too many different values to count each. */
  readonly distinct_values: number | null;
}

export interface ValueKey {
  readonly property_id: number;
  /** JSON, so that 5 and "5" differ. */
  readonly value: string;
}

export interface ValueRow extends ValueKey {
  readonly number: number;
}

export interface DayKey {
  readonly type_id: number;
  readonly day: number;
}

/** The number of events in each hour of a day. */
export interface HoursRow extends DayKey {
  readonly hours: Uint8Array;
}

export interface ValueHourKey {
  readonly property_id: number;
  readonly hour: number;
}

/** The number of events with each value of a property in an hour. */
export interface ValueHoursRow extends ValueHourKey {
  readonly counts: Uint8Array;
}

export interface HourKey {
  readonly type_id: number;
  readonly hour: number;
}

export interface PartKey extends HourKey {
  /** The rows of one hour are numbered from 0; only the last one grows. */
  readonly part: number;
}

/** Different users with an event in the hour. */
export interface VisitorsRow extends PartKey {
  readonly users: Uint8Array;
}

/** The events of an hour: user, time and id of each. */
export interface PostingsRow extends PartKey {
  /** The time within the hour, and the id, that the next event of this part is written as a distance from. */
  readonly last_ms: number;
  readonly last_id: number;
  readonly entries: Uint8Array;
}

/** Whole rows to be put, none of which depends on the row that it replaces. */
export interface RollupRows {
  readonly users: UserRow[];
  readonly types: TypeRow[];
  readonly properties: PropertyRow[];
  readonly values: ValueRow[];
  readonly hours: HoursRow[];
  readonly valueHours: ValueHoursRow[];
  readonly visitors: VisitorsRow[];
  readonly postings: PostingsRow[];
  /** Ids of properties that have got too many values: their rows of `values` and `valueHours` are deleted. */
  readonly uncountedProperties: number[];
}

export const noRows = (): RollupRows => ({
  users: [],
  types: [],
  properties: [],
  values: [],
  hours: [],
  valueHours: [],
  visitors: [],
  postings: [],
  uncountedProperties: [],
});

/** The new rows of one build. They hold for the state they were made from, and for no other. */
export interface Built {
  /** How many of the events the rows contain: the first ones, as many as change a bounded number of rows. */
  readonly taken: number;
  readonly before: RollupState;
  readonly after: RollupState;
  readonly rows: RollupRows;
}

export interface HourSpan {
  readonly first: number;
  /** Included. */
  readonly last: number;
}

/** Where a page of parts begins. */
export interface PageStart {
  readonly type_id: number;
  /** The last hour of the range, included. */
  readonly last: number;
  /** The page begins with the part behind this one. */
  readonly after: Pick<PartKey, "hour" | "part">;
}

/** The usual number of rows of a page. */
export const PAGE_ROWS = 500;

/** Rows in the order of hours and parts. */
export interface Page<Row extends PartKey> {
  readonly rows: readonly Row[];
  /** Whether there are none behind these. A page that is not the last one has rows. */
  readonly isLast: boolean;
}

// Each of these reads many rows at once. Rows that do not exist are left out of the answer.

interface CommonStore {
  /** All users where no ids are named. */
  users(userIds?: readonly string[]): Work<Iterable<UserRow>>;
  /** All types where none are named. */
  types(eventTypes?: readonly string[]): Work<readonly TypeRow[]>;
  /** All properties where no keys are named. */
  properties(keys?: readonly PropertyKey[]): Work<readonly PropertyRow[]>;
  propertyCounts(typeIds: readonly number[]): Work<readonly PropertyCount[]>;
}

/** The reads of a build: the rows that its events change. */
export interface BuildStore extends CommonStore {
  /** The names of all properties of these types. */
  namesOf(typeIds: readonly number[]): Work<readonly PropertyKey[]>;
  values(keys: readonly ValueKey[]): Work<readonly ValueRow[]>;
  hours(keys: readonly DayKey[]): Work<readonly HoursRow[]>;
  valueHours(keys: readonly ValueHourKey[]): Work<readonly ValueHoursRow[]>;
  /** The last part of each hour. */
  lastVisitors(keys: readonly HourKey[]): Work<readonly VisitorsRow[]>;
  lastPostings(keys: readonly HourKey[]): Work<readonly PostingsRow[]>;
}

/** The reads of questions: the rows of a range of time. */
export interface QuestionStore extends CommonStore {
  valuesOf(propertyId: number): Work<readonly ValueRow[]>;
  hoursBetween(typeId: number, firstDay: number, lastDay: number): Work<readonly HoursRow[]>;
  valueHoursBetween(propertyId: number, span: HourSpan): Work<readonly ValueHoursRow[]>;
  visitorsPage(start: PageStart): Work<Page<VisitorsRow>>;
  postingsPage(start: PageStart): Work<Page<PostingsRow>>;
  /** All parts of these types in these hours. */
  postingsAt(typeIds: readonly number[], hours: readonly number[]): Work<readonly PostingsRow[]>;
  /** The latest hours in which one of these types has events, latest first, at most `limit`. */
  latestHours(typeIds: readonly number[], span: HourSpan, limit: number): Work<readonly number[]>;
}

/** The reads that an engine implements. How it puts rows and keeps the mark depends on its locks and transactions. */
export interface RollupStore extends BuildStore, QuestionStore {}

/** An event as reports read it. */
export interface RawEvent {
  readonly id: number;
  readonly event_type: string;
  readonly user_id: string | null;
  readonly session_id: string | null;
  readonly properties: string | null;
  readonly occurred_at: Instant;
}

export interface RawRange {
  readonly from: Instant;
  readonly to: Instant;
  /** All types where this is empty or has a null. */
  readonly types: readonly (string | null)[];
  /** Whether properties are looked at; where not, they may be left out. */
  readonly properties: boolean;
  /** Ordered by user, then time and id, without the events that have no user; else in any order. */
  readonly byUser?: boolean;
}

/** A page of events, and all ids of the person whose events are asked for; undefined for everybody's. */
export interface PersonPage extends EventPage {
  readonly user_ids: readonly string[] | undefined;
}

/** Reads which ids are one person. */
export interface LinkSource {
  /** All links of an anonymous id to a user id. */
  all(): Work<readonly Link[]>;
  /** All ids of the person that this id belongs to, itself included. */
  idsOf(userId: string): Work<readonly string[]>;
}

/** An assignment as reports read it. */
export interface AssignedUser {
  readonly user_id: string;
  /** The id of the person, on each id that is linked, the person's own included; null on an id without links. */
  readonly person_id: string | null;
  /** The number of the user; null where no event has this id, or where the key of the user is not the id itself. */
  readonly number: number | null;
  readonly variant_id: number;
  /** Infinity where the stored value is not a time. */
  readonly assigned_at: Instant;
}

/** Reads who is assigned in experiments. */
export interface AssignmentSource {
  /** Visits the assignments of an experiment, in any order. */
  visit(testId: number, visit: (assignment: AssignedUser) => void): Work<void>;
}

/** Reads the events themselves. */
export interface EventSource {
  /** Visits events with the id of the person instead of an id that is linked to it. */
  visit(range: RawRange, visit: (event: RawEvent) => void): Work<void>;
  propertiesOf(ids: readonly number[]): Work<ReadonlyMap<number, string | null>>;
  /** In any order. */
  eventsOf(ids: readonly number[]): Work<readonly StoredEvent[]>;
  /** The events of a page, newest first, found by going back in time. */
  page(page: PersonPage): Work<readonly StoredEvent[]>;
}
