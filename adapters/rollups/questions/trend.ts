import { type Condition, isEquality, propertiesOf, scalarOf } from "../../../domain/reports/condition.ts";
import { groupKey } from "../../../domain/reports/groups.ts";
import type { TrendQuestion, TrendSeries } from "../../../domain/reports/trend.ts";
import { brokenDown, Counter, seriesOf } from "../../../domain/reports/trend-tally.ts";
import { countNewUsers, readValueCounts } from "../formats.ts";
import { bucketOfHour, CUT, CutHours, eachCount, eachVisitors, idsOf, spanOf, typeIdOf } from "../reader.ts";
import { MAX_NAMES, type PropertyRow, type QuestionStore } from "../store.ts";
import type { Work } from "../work.ts";
import { isMemberTrendInRollups, memberTrendFromRollups } from "./member-trend.ts";
import { personNumbersOf } from "./people.ts";
import type { Snapshot } from "./snapshot.ts";

/** One series of a question while it is computed. */
interface Series {
  readonly snapshot: Snapshot;
  readonly typeId: number;
  readonly question: TrendQuestion;
}

const spanOfQuestion = ({ edges }: TrendQuestion) => spanOf(edges[0] ?? 0, edges.at(-1) ?? 0);
const bucketsOf = ({ edges }: TrendQuestion): number => edges.length - 1;

function* countEvents({ snapshot: { store }, typeId, question }: Series): Work<Counter> {
  const counter = new Counter(bucketsOf(question));
  yield* eachCount(store, typeId, spanOfQuestion(question), (hour, count) => {
    const bucket = bucketOfHour(question.edges, hour);
    if (bucket >= 0) counter.addMany(bucket, count);
  });
  yield* new CutHours(store, typeId, question.edges).all((bucket) => counter.addMany(bucket, 1));
  return counter;
}

/** Hours come in order, and so do buckets: a user is new to a bucket unless it is the last one they were seen in. */
function* countUsers({ snapshot, typeId, question }: Series): Work<{ size: number; values: number[] }> {
  const { store, users } = snapshot;
  const { edges } = question;
  const values = new Array<number>(bucketsOf(question)).fill(0);
  const persons = yield* personNumbersOf(snapshot);
  const seenIn = new Int32Array(users + 1).fill(-1);
  const cuts = new CutHours(store, typeId, edges);
  let size = 0;
  let lastCut: number | undefined;
  const addNew = (bucket: number, before: number): void => {
    values[bucket] = (values[bucket] ?? 0) + 1;
    size += Number(before < 0);
  };
  yield* eachVisitors(store, typeId, spanOfQuestion(question), (row) => {
    const bucket = bucketOfHour(edges, row.hour);
    if (bucket >= 0) {
      const { inBucket, atAll } = countNewUsers(row.users, bucket, seenIn, persons);
      values[bucket] = (values[bucket] ?? 0) + inBucket;
      size += atAll;
    }
    if (bucket !== CUT || row.hour === lastCut) return undefined;
    lastCut = row.hour;
    return cuts.eachNewUser(row.hour, seenIn, persons, addNew);
  });
  return { size, values };
}

/** Counters by the value that they count, as JSON. */
class Groups {
  readonly counters = new Map<string, Counter>();
  readonly #buckets: number;
  readonly #wanted: ReadonlySet<string> | undefined;

  constructor(question: TrendQuestion, wanted: readonly string[] | undefined) {
    this.#buckets = bucketsOf(question);
    this.#wanted = wanted && new Set(wanted);
  }

  /** Undefined for a value that is not wanted. */
  counter(value: string): Counter | undefined {
    if (this.#wanted?.has(value) === false) return undefined;
    const known = this.counters.get(value) ?? new Counter(this.#buckets);
    this.counters.set(value, known);
    return known;
  }
}

/** Adds the number of events of one type with each value of a property. */
function* addValues(series: Series, { id, name }: PropertyRow, groups: Groups): Work<void> {
  const { snapshot, typeId, question } = series;
  const { store } = snapshot;
  const counters = new Map<number, Counter>();
  for (const { value, number } of yield* store.valuesOf(id)) {
    const counter = groups.counter(value);
    if (counter !== undefined) counters.set(number, counter);
  }
  for (const { hour, counts } of yield* store.valueHoursBetween(id, spanOfQuestion(question))) {
    const bucket = bucketOfHour(question.edges, hour);
    if (bucket < 0) continue;
    readValueCounts(counts, (value, count) => counters.get(value)?.addMany(bucket, count));
  }
  const cuts = new CutHours(store, typeId, question.edges);
  for (const hour of cuts.hours) yield* addCutHour(series, cuts, hour, JSON.parse(name) as string, groups);
}

/** Adds the events of an hour that lies in several buckets, by what their properties say. */
function* addCutHour(
  { snapshot: { source } }: Series,
  cuts: CutHours,
  hour: number,
  property: string,
  groups: Groups,
): Work<void> {
  const buckets = new Map<number, number>();
  yield* cuts.each(hour, (bucket, _user, id) => buckets.set(id, bucket));
  for (const [id, text] of yield* source.propertiesOf([...buckets.keys()])) {
    const value = scalarOf(propertiesOf(text), property);
    if (value !== null) groups.counter(groupKey(value))?.addMany(buckets.get(id) ?? 0, 1);
  }
}

/** Whether a type that has no row for a name may have events with it: only where it has as many names as are kept. */
function* mayLackName(store: QuestionStore, typeIds: readonly number[]): Work<boolean> {
  if (typeIds.length === 0) return false;
  return (yield* store.propertyCounts(typeIds)).some(({ named }) => named >= MAX_NAMES);
}

/** The number of events with each value of a property, or each wanted one; undefined where values are not counted. */
function* countValues(
  series: Series,
  name: string,
  wanted?: readonly string[],
): Work<Map<string, Counter> | undefined> {
  const { store } = series.snapshot;
  const groups = new Groups(series.question, wanted);
  const keys = (yield* idsOf(store, series.typeId)).map((type_id) => ({
    type_id,
    name: JSON.stringify(name),
  }));
  const properties = yield* store.properties(keys);
  if (properties.some(({ distinct_values }) => distinct_values === null)) return undefined;
  const having = new Set(properties.map(({ type_id }) => type_id));
  const others = keys.map(({ type_id }) => type_id).filter((id) => !having.has(id));
  if (yield* mayLackName(store, others)) return undefined;
  for (const property of properties) {
    yield* addValues({ ...series, typeId: property.type_id }, property, groups);
  }
  return new Map([...groups.counters].filter(([, counter]) => counter.size > 0));
}

/** Adds the events without a value, for which there is no row: what is left of all events. */
function withNone(groups: Map<string, Counter>, all: Counter): Map<string, Counter> {
  const values = all.values.map((count, bucket) => {
    let left = count;
    for (const group of groups.values()) left -= group.values[bucket] ?? 0;
    return left;
  });
  const none = new Counter(values.length, values);
  return none.size === 0 ? groups : new Map([...groups, [groupKey(null), none]]);
}

/** The number of events that meet one condition; undefined where values are not counted. */
function* countWhere(series: Series, condition: Condition): Work<Counter | undefined> {
  if (!isEquality(condition)) return undefined;
  const { property, values } = condition;
  const groups = yield* countValues(series, property, values.map(groupKey));
  const none = new Counter(bucketsOf(series.question));
  return groups && [...groups.values()].reduce((sum, counter) => sum.merge(counter), none);
}

/** The series of one type; undefined where the rollups cannot tell. */
function* seriesOfType(series: Series, eventType: string | null): Work<TrendSeries[] | undefined> {
  const { measure, where, breakdown } = series.question;
  const [condition] = where;
  if (condition !== undefined) {
    const counted = yield* countWhere(series, condition);
    return counted && [seriesOf(eventType, counted)];
  }
  if (breakdown !== undefined) {
    const groups = yield* countValues(series, breakdown);
    return groups && brokenDown(eventType, withNone(groups, yield* countEvents(series)), series.question);
  }
  return [seriesOf(eventType, yield* measure === "users" ? countUsers(series) : countEvents(series))];
}

/** Whether rollups have what the question asks for, unless a property has too many values. */
export function isTrendInRollups(question: TrendQuestion): boolean {
  const { measure, where, breakdown, members } = question;
  if (members !== undefined) return isMemberTrendInRollups(question);
  const narrowed = where.length + (breakdown === undefined ? 0 : 1);
  if (!where.every(isEquality)) return false;
  return measure === "count" ? narrowed <= 1 : measure === "users" && narrowed === 0;
}

/** Answers a trend from rollups; undefined where they cannot tell. */
export function* trendFromRollups(
  snapshot: Snapshot,
  question: TrendQuestion,
): Work<TrendSeries[] | undefined> {
  if (!isTrendInRollups(question)) return undefined;
  if (question.members !== undefined) return yield* memberTrendFromRollups(snapshot, question);
  const types = question.event_types.length === 0 ? [null] : question.event_types;
  const all: TrendSeries[] = [];
  for (const type of types) {
    const typeId = yield* typeIdOf(snapshot.store, type);
    const series = yield* seriesOfType({ snapshot, typeId, question }, type);
    if (series === undefined) return undefined;
    all.push(...series);
  }
  return all;
}
