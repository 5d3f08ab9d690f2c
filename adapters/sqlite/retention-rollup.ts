import { type CohortCount, periodsOf, type RetentionQuestion } from "../../domain/analytics/retention.ts";
import type { Instant } from "../../domain/time.ts";
import { ALL_TYPES } from "./fold-plan.ts";
import type { Patience } from "./patience.ts";
import { hourOf, readNewUsers } from "./rollup-formats.ts";
import { bucketOfHour, CUT, eachNewUserInBuckets, type RollupReader } from "./rollup-reader.ts";

const EARLIEST_HOUR = -1e8;

interface Walk {
  readonly reader: RollupReader;
  readonly typeId: number;
  readonly edges: readonly Instant[];
  readonly patience: Patience;
}

/**
 * Visits who had an event in which period, each user once a period, in the order of the periods; -1 is the time before the
 * first. Users are numbered up to `users`.
 */
function eachVisit(
  { reader, typeId, edges: own, patience }: Walk,
  firstHour: number,
  users: number,
  visit: (user: number, period: number) => void,
): void {
  // The time before the first edge is a bucket too: so the first period is bucket 1.
  const edges = [Number.NEGATIVE_INFINITY, ...own];
  const seenIn = new Int32Array(users + 1).fill(-1);
  const see = (user: number, bucket: number): void => visit(user, bucket - 1);
  const span = { first: firstHour, last: hourOf((own.at(-1) ?? 0) - 1) };
  let lastCut: number | undefined;
  reader.visitors({ typeId, span, patience }, (hour, bytes) => {
    const bucket = bucketOfHour(edges, hour);
    if (bucket >= 0) readNewUsers(bytes, bucket, seenIn, see);
    if (bucket !== CUT || hour === lastCut) return;
    lastCut = hour;
    eachNewUserInBuckets(reader, { typeId, hour, edges, patience }, seenIn, see);
  });
}

/** For each period, the different users who had an event in it. */
function usersByPeriod(walk: Walk, users: number): number[][] {
  const periods: number[][] = walk.edges.slice(1).map(() => []);
  eachVisit(walk, hourOf(walk.edges[0] ?? 0), users, (user, period) => void periods[period]?.push(user));
  return periods;
}

/** For each user the period in which his first event lies; -1 where it lies before them all, -2 where there is none. */
function firstPeriods(walk: Walk, users: number): Int32Array {
  const first = new Int32Array(users + 1).fill(-2);
  eachVisit(walk, EARLIEST_HOUR, users, (user, period) => {
    if (first[user] === -2) first[user] = period;
  });
  return first;
}

/**
 * Counts who came back, and joins them to cohorts on the way where it is the same event that makes a cohort: the first
 * visit of a walk that begins with the earliest hour is a user's first.
 */
function countFirst(joining: Walk, returning: Walk, users: number, counts: Counts[]): void {
  const isSame = joining.typeId === returning.typeId;
  const first = isSame ? new Int32Array(users + 1).fill(-2) : firstPeriods(joining, users);
  const all = returning.edges.length;
  // How many of each cohort came back in each period: one list, for it is written to for every visit.
  const returned = new Uint32Array(counts.length * all);
  eachVisit(returning, isSame ? EARLIEST_HOUR : hourOf(returning.edges[0] ?? 0), users, (user, period) => {
    if (isSame && first[user] === -2) first[user] = period;
    const own = first[user] as number;
    if (own < 0 || own >= counts.length || period < 0) return;
    const place = own * all + period;
    returned[place] = (returned[place] as number) + 1;
  });
  for (const period of first) {
    const count = counts[period];
    if (count !== undefined) count.users += 1;
  }
  for (const [cohort, count] of counts.entries()) {
    for (const later of count.returned.keys())
      count.returned[later] = returned[cohort * all + cohort + later] ?? 0;
  }
}

function countRecurring(
  joined: readonly number[][],
  returned: readonly number[][],
  counts: Counts[],
  users: number,
): void {
  const cohortOf = new Int32Array(users + 1).fill(-1);
  for (const [cohort, count] of counts.entries()) {
    const members = joined[cohort] ?? [];
    for (const user of members) cohortOf[user] = cohort;
    count.users = members.length;
    for (const later of count.returned.keys()) {
      let back = 0;
      for (const user of returned[cohort + later] ?? []) if (cohortOf[user] === cohort) back += 1;
      count.returned[later] = back;
    }
  }
}

interface Counts extends CohortCount {
  users: number;
  readonly returned: number[];
}

/** The answer from what is kept. */
export function retentionFromRollups(
  reader: RollupReader,
  question: RetentionQuestion,
  patience: Patience,
): CohortCount[] {
  const { users } = reader.state();
  const { edges, event_type, return_event_type, cohort, cohorts } = question;
  const walkOf = (type: string | null): Walk => {
    const typeId = type === null ? ALL_TYPES : (reader.typeId(type) ?? -1);
    return { reader, typeId, edges, patience };
  };
  const counts: Counts[] = Array.from({ length: cohorts }, (_, index) => ({
    users: 0,
    returned: new Array(periodsOf(question, index)).fill(0),
  }));
  if (cohort === "first") countFirst(walkOf(event_type), walkOf(return_event_type), users, counts);
  else {
    const returned = usersByPeriod(walkOf(return_event_type), users);
    const joined = event_type === return_event_type ? returned : usersByPeriod(walkOf(event_type), users);
    countRecurring(joined, returned, counts, users);
  }
  return counts;
}
