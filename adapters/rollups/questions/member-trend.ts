import { bucketAt } from "../../../domain/reports/buckets.ts";
import { groupKey, type Mergeable } from "../../../domain/reports/groups.ts";
import type { TrendQuestion, TrendSeries } from "../../../domain/reports/trend.ts";
import { brokenDown, seriesOf } from "../../../domain/reports/trend-tally.ts";
import { readPostings } from "../formats.ts";
import { bucketOfHour, CUT, eachPostings, idsOf, spanOf, typeIdOf } from "../reader.ts";
import type { Work } from "../work.ts";
import { type MemberNumbers, memberNumbersOf } from "./members.ts";
import { type PersonNumbers, personNumbersOf, personOf } from "./people.ts";
import type { Snapshot } from "./snapshot.ts";

/** The series of one variant. A user is in one variant only, so that two of them are merged by adding. */
class VariantPart implements Mergeable<VariantPart> {
  readonly values: number[];
  size = 0;

  constructor(buckets: number) {
    this.values = new Array<number>(buckets).fill(0);
  }

  add(bucket: number): void {
    this.values[bucket] = (this.values[bucket] ?? 0) + 1;
  }

  merge(other: VariantPart): VariantPart {
    const merged = new VariantPart(this.values.length);
    merged.size = this.size + other.size;
    for (const bucket of this.values.keys()) {
      merged.values[bucket] = (this.values[bucket] ?? 0) + (other.values[bucket] ?? 0);
    }
    return merged;
  }
}

/** What a series of a question counts: the events of members, or the members. */
interface Counted {
  readonly snapshot: Snapshot;
  readonly question: TrendQuestion;
  readonly members: MemberNumbers;
  readonly persons: PersonNumbers | undefined;
}

/** Visits the events of members, with the number of the person and the bucket. */
function* eachMemberEvent(
  { snapshot: { store }, question: { edges }, members, persons }: Counted,
  typeId: number,
  visit: (user: number, bucket: number) => void,
): Work<void> {
  const span = spanOf(edges[0] ?? 0, edges.at(-1) ?? 0);
  for (const id of yield* idsOf(store, typeId)) {
    yield* eachPostings(store, id, span, ({ entries, hour }) => {
      const whole = bucketOfHour(edges, hour);
      readPostings(entries, hour, (user, time) => {
        const person = personOf(persons, user);
        const bucket = whole === CUT ? bucketAt(edges, time) : whole;
        if (user > 0 && bucket >= 0 && members.has(person, time)) visit(person, bucket);
      });
      return undefined;
    });
  }
}

const START = 1_024;

/** The buckets in which each user has an event. The same pair may be added again and again, in any order. */
class UserBuckets {
  readonly #buckets: number;
  /** The bucket that a user was last added with. */
  readonly #last: Int32Array;
  #pairs = new Float64Array(START);
  #length = 0;

  constructor(users: number, buckets: number) {
    this.#buckets = buckets;
    this.#last = new Int32Array(users + 1).fill(-1);
  }

  add(user: number, bucket: number): void {
    if (this.#last[user] === bucket) return;
    this.#last[user] = bucket;
    if (this.#length === this.#pairs.length) {
      const grown = new Float64Array(4 * this.#length);
      grown.set(this.#pairs);
      this.#pairs = grown;
    }
    this.#pairs[this.#length++] = user * this.#buckets + bucket;
  }

  /** Visits each pair once, those of a user together. */
  each(visit: (user: number, bucket: number, isFirstOfUser: boolean) => void): void {
    let before = -1;
    let userBefore = -1;
    for (const pair of this.#pairs.subarray(0, this.#length).sort()) {
      if (pair === before) continue;
      const user = Math.floor(pair / this.#buckets);
      visit(user, pair % this.#buckets, user !== userBefore);
      before = pair;
      userBefore = user;
    }
  }
}

/** The parts of a series, by the places of the variants. */
function* countParts(counted: Counted, typeId: number): Work<readonly VariantPart[]> {
  const { snapshot, question, members } = counted;
  const buckets = question.edges.length - 1;
  const parts = Array.from({ length: Math.max(1, members.variants.length) }, () => new VariantPart(buckets));
  const partOf = (user: number): VariantPart => parts[members.variantOf(user)] as VariantPart;
  if (question.measure === "count") {
    yield* eachMemberEvent(counted, typeId, (user, bucket) => {
      partOf(user).size += 1;
      partOf(user).add(bucket);
    });
    return parts;
  }
  const seen = new UserBuckets(snapshot.users, buckets);
  yield* eachMemberEvent(counted, typeId, (user, bucket) => seen.add(user, bucket));
  seen.each((user, bucket, isFirstOfUser) => {
    partOf(user).size += Number(isFirstOfUser);
    partOf(user).add(bucket);
  });
  return parts;
}

/** Whether rollups can answer a trend of members: they have no properties and sessions of single users. */
export const isMemberTrendInRollups = ({ measure, where, breakdown }: TrendQuestion): boolean =>
  measure !== "sessions" && where.length === 0 && breakdown === undefined;

/** Answers a trend of the people of experiments from the rollups of single events. */
export function* memberTrendFromRollups(snapshot: Snapshot, question: TrendQuestion): Work<TrendSeries[]> {
  const persons = yield* personNumbersOf(snapshot);
  const members = yield* memberNumbersOf(snapshot, question.members, persons);
  if (members === undefined) return [];
  const all: TrendSeries[] = [];
  for (const type of question.event_types.length === 0 ? [null] : question.event_types) {
    const typeId = yield* typeIdOf(snapshot.store, type);
    const parts = yield* countParts({ snapshot, question, members, persons }, typeId);
    const [only] = parts;
    if (question.members?.breakdown !== undefined) {
      const groups = parts.flatMap((part, place): [string, VariantPart][] =>
        part.size === 0 ? [] : [[groupKey(members.variants[place] ?? null), part]],
      );
      all.push(...brokenDown(type, new Map(groups), question));
    } else if (only !== undefined) all.push(seriesOf(type, only));
  }
  return all;
}
