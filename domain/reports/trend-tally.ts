import type { Instant } from "../time.ts";
import { bucketAt } from "./buckets.ts";
import { holdsAll, propertiesOf, scalarOf } from "./condition.ts";
import { chosen, groupKey, largest, type Mergeable } from "./groups.ts";
import { hasGroups, type Membership } from "./members.ts";
import type { TrendQuestion, TrendSeries } from "./trend.ts";

/** The fields of an event that reports use. */
export interface AskedEvent {
  readonly event_type: string;
  readonly user_id: string | null;
  readonly session_id: string | null;
  readonly properties: string | null;
  readonly occurred_at: Instant;
}

/** A series that is being counted. */
export interface Part extends Mergeable<Part> {
  add(bucket: number, who: string): void;
  readonly values: readonly number[];
}

/** Counts events. */
export class Counter implements Part {
  readonly values: number[];

  constructor(buckets: number, values: number[] = new Array(buckets).fill(0)) {
    this.values = values;
  }

  get size(): number {
    return this.values.reduce((sum, value) => sum + value, 0);
  }

  add(bucket: number): void {
    this.addMany(bucket, 1);
  }

  addMany(bucket: number, count: number): void {
    this.values[bucket] = (this.values[bucket] ?? 0) + count;
  }

  merge(other: Part): Counter {
    return new Counter(
      this.values.length,
      this.values.map((value, bucket) => value + (other.values[bucket] ?? 0)),
    );
  }
}

/** Counts distinct users or sessions. A bucket without any costs no memory: with many groups most are so. */
class Distinct implements Part {
  readonly #buckets: number;
  readonly #all = new Set<string>();
  readonly #perBucket = new Map<number, Set<string>>();

  constructor(buckets: number) {
    this.#buckets = buckets;
  }

  get size(): number {
    return this.#all.size;
  }

  get values(): number[] {
    return Array.from({ length: this.#buckets }, (_, bucket) => this.#perBucket.get(bucket)?.size ?? 0);
  }

  add(bucket: number, who: string): void {
    this.#all.add(who);
    const known = this.#perBucket.get(bucket);
    if (known === undefined) this.#perBucket.set(bucket, new Set([who]));
    else known.add(who);
  }

  merge(other: Part): Distinct {
    const merged = new Distinct(this.#buckets);
    for (const one of [this, other as Distinct]) {
      for (const [bucket, some] of one.#perBucket) for (const who of some) merged.add(bucket, who);
    }
    return merged;
  }
}

/** Computes a trend from raw events, which may come in any order. */
export class TrendTally {
  readonly #question: TrendQuestion;
  readonly #members: Membership | undefined;
  readonly #series = new Map<string | null, Map<string, Part>>();

  /** `members` are the people of the question, where it names any. */
  constructor(question: TrendQuestion, members?: Membership) {
    this.#question = question;
    this.#members = members;
    const types = question.event_types.length === 0 ? [null] : question.event_types;
    for (const type of types) this.#series.set(type, new Map());
  }

  add(event: AskedEvent): void {
    const { measure, edges, where, breakdown, members, event_types } = this.#question;
    const parts = this.#series.get(event_types.length === 0 ? null : event.event_type);
    const who = measure === "users" ? event.user_id : measure === "sessions" ? event.session_id : "";
    if (parts === undefined || who === null) return;
    if (this.#members?.has(event.user_id, event.occurred_at) === false) return;
    const bucket = bucketAt(edges, event.occurred_at);
    if (bucket < 0) return;
    const properties = propertiesOf(where.length > 0 || breakdown !== undefined ? event.properties : null);
    if (!holdsAll(where, properties)) return;
    const variant = members?.breakdown && (this.#members?.variantOf(event.user_id) ?? null);
    const group = breakdown === undefined ? variant : scalarOf(properties, breakdown);
    this.#part(parts, group === undefined ? "" : groupKey(group)).add(bucket, who);
  }

  #part(parts: Map<string, Part>, key: string): Part {
    const known = parts.get(key) ?? this.#empty();
    parts.set(key, known);
    return known;
  }

  #empty(): Part {
    const buckets = this.#question.edges.length - 1;
    return this.#question.measure === "count" ? new Counter(buckets) : new Distinct(buckets);
  }

  series(): TrendSeries[] {
    return [...this.#series].flatMap(([type, parts]) =>
      hasGroups(this.#question)
        ? brokenDown(type, parts, this.#question)
        : [seriesOf(type, parts.get("") ?? this.#empty())],
    );
  }
}

export const seriesOf = (
  event_type: string | null,
  { size, values }: Pick<Part, "size" | "values">,
): TrendSeries => ({
  event_type,
  total: size,
  values,
});

/** A series for each of the largest groups of a type, or for the groups that the question names, and one for the rest. */
export function brokenDown<T extends Mergeable<T> & Pick<Part, "values">>(
  event_type: string | null,
  parts: ReadonlyMap<string, T>,
  { limit, groups }: Pick<TrendQuestion, "limit" | "groups">,
): TrendSeries[] {
  const named = groups?.find((one) => one.event_type === event_type);
  const shown = named === undefined ? largest(parts, limit) : chosen(parts, named.keys);
  return shown.map(({ group, part }) => ({ ...seriesOf(event_type, part), group }));
}
