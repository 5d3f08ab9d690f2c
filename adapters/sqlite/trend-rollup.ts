import { type Condition, isEquality, propertiesOf, scalarOf } from "../../domain/reports/condition.ts";
import { groupKey } from "../../domain/reports/groups.ts";
import type { TrendQuestion, TrendSeries } from "../../domain/reports/trend.ts";
import { brokenDown, Counter, seriesOf } from "../../domain/reports/trend-tally.ts";
import { ALL_TYPES } from "./fold-plan.ts";
import type { Patience } from "./patience.ts";
import { countNewUsers } from "./rollup-formats.ts";
import {
  bucketOfHour,
  CUT,
  eachInBuckets,
  eachNewUserInBuckets,
  type RollupReader,
  spanOf,
} from "./rollup-reader.ts";

/** One series of a question, while it is being answered. */
interface Series {
  readonly reader: RollupReader;
  readonly typeId: number;
  readonly question: TrendQuestion;
  readonly patience: Patience;
}

const spanOfQuestion = ({ edges }: TrendQuestion) => spanOf(edges[0] ?? 0, edges.at(-1) ?? 0);

/** The hours that edges cut, whose events are to be looked at one by one. */
class Cuts {
  readonly #series: Series;
  readonly #hours = new Set<number>();

  constructor(series: Series) {
    this.#series = series;
  }

  /** The bucket of an hour; undefined where it has none, or is cut and therefore noted. */
  bucket(hour: number): number | undefined {
    const bucket = bucketOfHour(this.#series.question.edges, hour);
    if (bucket === CUT) this.#hours.add(hour);
    return bucket < 0 ? undefined : bucket;
  }

  each(visit: (bucket: number, id: number) => void): void {
    const { reader, typeId, question, patience } = this.#series;
    for (const hour of this.#hours) {
      const cut = { typeId, hour, edges: question.edges, patience };
      eachInBuckets(reader, cut, (bucket, _user, id) => visit(bucket, id));
    }
  }
}

function countEvents(series: Series): Counter {
  const { reader, typeId, question } = series;
  const counter = new Counter(question.edges.length - 1);
  const cuts = new Cuts(series);
  reader.counts(typeId, spanOfQuestion(question), (hour, count) => {
    const bucket = cuts.bucket(hour);
    if (bucket !== undefined) counter.addMany(bucket, count);
  });
  cuts.each((bucket) => counter.addMany(bucket, 1));
  return counter;
}

/** Hours come in their order, and so do buckets: a user is new to a bucket unless it is the last one he was seen in. */
function countUsers({ reader, typeId, question, patience }: Series): { size: number; values: number[] } {
  const { edges } = question;
  const values = new Array<number>(edges.length - 1).fill(0);
  const seenIn = new Int32Array(reader.state().users + 1).fill(-1);
  let size = 0;
  const add = (bucket: number, inBucket: number, atAll: number): void => {
    values[bucket] = (values[bucket] ?? 0) + inBucket;
    size += atAll;
  };
  let lastCut: number | undefined;
  reader.visitors({ typeId, span: spanOfQuestion(question), patience }, (hour, users) => {
    const bucket = bucketOfHour(edges, hour);
    if (bucket >= 0) {
      const { inBucket, atAll } = countNewUsers(users, bucket, seenIn);
      add(bucket, inBucket, atAll);
    }
    if (bucket !== CUT || hour === lastCut) return;
    lastCut = hour;
    const cut = { typeId, hour, edges, patience };
    eachNewUserInBuckets(reader, cut, seenIn, (_user, found, before) => add(found, 1, Number(before < 0)));
  });
  return { size, values };
}

/** Counters by the value that they count, as JSON. */
class Groups {
  readonly counters = new Map<string, Counter>();
  readonly #buckets: number;
  readonly #wanted: ReadonlySet<string> | undefined;

  constructor({ edges }: TrendQuestion, wanted: readonly string[] | undefined) {
    this.#buckets = edges.length - 1;
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

/** Adds how many events of one type have each value of a property. */
function addValues(series: Series, propertyId: number, name: string, groups: Groups): void {
  const { reader, question } = series;
  const span = spanOfQuestion(question);
  const cuts = new Cuts(series);
  const counters = new Map<number, Counter>();
  for (const [number, value] of reader.values(propertyId)) {
    const counter = groups.counter(value);
    if (counter !== undefined) counters.set(number, counter);
  }
  reader.valueCounts(propertyId, span, (value, hour, count) => {
    const bucket = cuts.bucket(hour);
    if (bucket !== undefined) counters.get(value)?.addMany(bucket, count);
  });
  cuts.each((bucket, event) => {
    const value = scalarOf(propertiesOf(reader.properties(event)), name);
    if (value !== null) groups.counter(groupKey(value))?.addMany(bucket, 1);
  });
}

/** How many events have each value of a property, or each of the wanted ones; undefined where that is not kept. */
function countValues(
  series: Series,
  name: string,
  wanted?: readonly string[],
): Map<string, Counter> | undefined {
  const { reader, typeId, question, patience } = series;
  const groups = new Groups(question, wanted);
  for (const id of reader.idsOf(typeId)) {
    patience.check();
    const property = reader.property(id, name);
    if (property === undefined) continue;
    if (property.kept_values === null) return undefined;
    addValues({ ...series, typeId: id }, property.id, name, groups);
  }
  return new Map([...groups.counters].filter(([, counter]) => counter.size > 0));
}

/** Adds the events that have none of the values, for which nothing is kept: those that are left of all. */
function withNone(groups: Map<string, Counter>, all: Counter): Map<string, Counter> {
  const values = all.values.map((count, bucket) => {
    let left = count;
    for (const group of groups.values()) left -= group.values[bucket] ?? 0;
    return left;
  });
  const none = new Counter(values.length, values);
  return none.size === 0 ? groups : new Map([...groups, [groupKey(null), none]]);
}

/** Counts the events that meet one condition; undefined where the rollup does not have the count. */
function countWhere(series: Series, condition: Condition): Counter | undefined {
  if (!isEquality(condition)) return undefined;
  const { property, values } = condition;
  const groups = countValues(series, property, values.map(groupKey));
  if (groups === undefined) return undefined;
  const none = new Counter(series.question.edges.length - 1);
  return [...groups.values()].reduce((sum, counter) => sum.merge(counter), none);
}

/** One type's series; undefined where what is kept cannot tell. */
function answerType(series: Series, eventType: string | null): TrendSeries[] | undefined {
  const { measure, where, breakdown, limit } = series.question;
  const [condition] = where;
  if (condition !== undefined) {
    const counted = countWhere(series, condition);
    return counted && [seriesOf(eventType, counted)];
  }
  if (breakdown !== undefined) {
    const groups = countValues(series, breakdown);
    return groups && brokenDown(eventType, withNone(groups, countEvents(series)), limit);
  }
  return [seriesOf(eventType, measure === "users" ? countUsers(series) : countEvents(series))];
}

const isKept = ({ measure, where, breakdown }: TrendQuestion): boolean => {
  const narrowed = where.length + (breakdown === undefined ? 0 : 1);
  return measure === "count" ? narrowed <= 1 : measure === "users" && narrowed === 0;
};

/** The answer from what is kept; undefined where that cannot tell. */
export function trendFromRollups(
  reader: RollupReader,
  question: TrendQuestion,
  patience: Patience,
): TrendSeries[] | undefined {
  if (!isKept(question)) return undefined;
  const types = question.event_types.length === 0 ? [null] : question.event_types;
  const all: TrendSeries[] = [];
  for (const type of types) {
    const typeId = type === null ? ALL_TYPES : (reader.typeId(type) ?? NO_TYPE);
    const answered = answerType({ reader, typeId, question, patience }, type);
    if (answered === undefined) return undefined;
    all.push(...answered);
  }
  return all;
}

/** Of a type that has no events. */
const NO_TYPE = -1;
