import { z } from "zod";
import type { Checked } from "../failure.ts";
import { Name } from "../text.ts";
import { type Instant, IsoTime, isoTime } from "../time.ts";
import { Meta } from "./answer.ts";
import { bucketAt, edgesOf, Interval, LONGEST } from "./buckets.ts";
import { type Membership, type MembersQuestion, membersShape } from "./members.ts";
import { Flag, rangeOf, rangeShape, wholeNumber } from "./range.ts";
import type { AskedEvent } from "./trend-tally.ts";

const MAX_PERIODS = 26;
const DEFAULT_PERIODS = 8;
const MAX_COHORTS = 400;

const Cohort = z.enum(["first", "recurring"]);
type Cohort = z.infer<typeof Cohort>;
const Period = Interval.exclude(["hour"]);

export const RetentionQuery = z.strictObject({
  event_type: Name.optional(),
  return_event_type: Name.optional(),
  cohort: Cohort.default("first"),
  interval: Period.default("week"),
  periods: wholeNumber(1, MAX_PERIODS).default(DEFAULT_PERIODS),
  ...rangeShape,
  experiment: membersShape.experiment,
  verify: Flag,
});
export type RetentionQuery = z.infer<typeof RetentionQuery>;

/**
 * The retention as storage answers it. A user belongs to the cohort of each period in which they have an event of the
 * cohort's type; with `first` only to the one of their first such event ever. They have returned in a period if they have
 * an event of the return type in it.
 */
export interface RetentionQuestion {
  /** Null for any type. */
  readonly event_type: string | null;
  readonly return_event_type: string | null;
  readonly cohort: Cohort;
  /** The start of each period, those of the cohorts first, and the end of the last one. */
  readonly edges: readonly Instant[];
  readonly cohorts: number;
  /** The number of periods that each cohort is followed for, its own included; fewer where the edges end. */
  readonly periods: number;
  /** Only what these people did. */
  readonly members?: MembersQuestion | undefined;
}

export interface CohortCount {
  readonly users: number;
  /** The users who have returned, in the cohort's own period and in each period after it. */
  readonly returned: readonly number[];
}

/** The number of periods that a cohort is followed for. */
export const periodsOf = ({ edges, periods }: RetentionQuestion, cohort: number): number =>
  Math.min(periods, edges.length - 1 - cohort);

/** Turns a query into the question for storage, or says why it has no answer. */
export function planRetention(query: RetentionQuery, now: Instant): Checked<RetentionQuestion> {
  const range = rangeOf(query, now);
  if ("faults" in range) return range;
  const { from, to } = range.value;
  const { interval, timezone, periods, cohort } = query;
  const started = Math.max(Math.min(to, now + 1), from + 1);
  const own = edgesOf(interval, timezone, from, started, MAX_COHORTS);
  if (own === undefined) {
    const message = `makes more than ${MAX_COHORTS} cohorts of this range: choose a longer interval or a shorter range`;
    return { faults: [{ path: "interval", message }] };
  }
  const last = (own.at(-1) ?? to) + periods * LONGEST[interval];
  const until = Math.max(started, Math.min(now + 1, last));
  const following = edgesOf(interval, timezone, from, until, MAX_COHORTS + 2 * MAX_PERIODS) ?? own;
  const { event_type = null, return_event_type = event_type } = query;
  const cohorts = own.length - 1;
  const edges = following.slice(0, cohorts + periods);
  return { value: { event_type, return_event_type, cohort, edges, cohorts, periods } };
}

export const Retention = z
  .strictObject({
    event_type: z.string().nullable(),
    return_event_type: z.string().nullable(),
    cohort: Cohort,
    interval: Period,
    timezone: z.string(),
    /** The range of the cohorts: whole periods, also where the query's range begins or ends within one. */
    from: IsoTime,
    to: IsoTime,
    periods: z.int(),
    cohorts: z.array(
      z.strictObject({
        start: IsoTime,
        users: z.int(),
        /** Users who returned in the cohort's own period, and in each later one that has begun. */
        returned: z.array(z.int()),
        /** The index in `returned` of the period that is not over yet. */
        unfinished: z.int().nullable(),
      }),
    ),
    meta: Meta,
  })
  .meta({ id: "Retention" });
export type Retention = z.infer<typeof Retention>;

export function describeRetention(
  query: RetentionQuery,
  question: RetentionQuestion,
  counts: readonly CohortCount[],
  now: Instant,
  meta: Meta,
): Retention {
  const { edges, event_type, return_event_type } = question;
  const current = bucketAt(edges, now);
  const cohorts = counts.map(({ users, returned }, index) => ({
    start: isoTime(edges[index] ?? now),
    users,
    returned: [...returned],
    unfinished: current >= index && current - index < returned.length ? current - index : null,
  }));
  const { cohort, interval, timezone, periods } = query;
  return {
    event_type,
    return_event_type,
    cohort,
    interval,
    timezone,
    from: isoTime(edges[0] ?? now),
    to: isoTime(edges[question.cohorts] ?? now),
    periods,
    cohorts,
    meta,
  };
}

interface Visits {
  first: Instant;
  /** The periods in which the user has an event of the cohort's type. */
  readonly joined: Set<number>;
  readonly returned: Set<number>;
}

/** Computes retention from raw events, which may come in any order. `first` needs those before the first edge too. */
export class RetentionTally {
  readonly #question: RetentionQuestion;
  readonly #members: Membership | undefined;
  readonly #users = new Map<string, Visits>();

  /** `members` are the people of the question, where it names any. */
  constructor(question: RetentionQuestion, members?: Membership) {
    this.#question = question;
    this.#members = members;
  }

  add({
    event_type,
    user_id,
    occurred_at,
  }: Pick<AskedEvent, "event_type" | "user_id" | "occurred_at">): void {
    if (user_id === null || this.#members?.has(user_id, occurred_at) === false) return;
    const { event_type: joining, return_event_type: returning, edges } = this.#question;
    const joins = joining === null || event_type === joining;
    const returns = returning === null || event_type === returning;
    if (!joins && !returns) return;
    const visits = this.#visits(user_id);
    const period = bucketAt(edges, occurred_at);
    if (joins) {
      visits.first = Math.min(visits.first, occurred_at);
      visits.joined.add(period);
    }
    if (returns) visits.returned.add(period);
  }

  #visits(user: string): Visits {
    const known = this.#users.get(user) ?? {
      first: Number.POSITIVE_INFINITY,
      joined: new Set(),
      returned: new Set(),
    };
    this.#users.set(user, known);
    return known;
  }

  counts(): CohortCount[] {
    const { cohorts, cohort, edges } = this.#question;
    const counts = Array.from({ length: cohorts }, (_, index) => ({
      users: 0,
      returned: new Array<number>(periodsOf(this.#question, index)).fill(0),
    }));
    for (const { first, joined, returned } of this.#users.values()) {
      const own = cohort === "first" ? [bucketAt(edges, first)] : joined;
      for (const index of own) {
        const count = counts[index];
        if (count === undefined) continue;
        count.users += 1;
        for (const [period, before] of count.returned.entries()) {
          if (returned.has(index + period)) count.returned[period] = before + 1;
        }
      }
    }
    return counts;
  }
}
