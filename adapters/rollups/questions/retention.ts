import { bucketAt } from "../../../domain/reports/buckets.ts";
import { type CohortCount, periodsOf, type RetentionQuestion } from "../../../domain/reports/retention.ts";
import type { Instant } from "../../../domain/time.ts";
import { markUsers, readPostings } from "../formats.ts";
import {
  bucketOfHour,
  CUT,
  CutHours,
  eachPostings,
  eachVisitors,
  idsOf,
  spanOf,
  typeIdOf,
} from "../reader.ts";
import type { HourSpan } from "../store.ts";
import type { Work } from "../work.ts";
import { type MemberNumbers, memberNumbersOf } from "./members.ts";
import { type PersonNumbers, personNumbersOf, personOf } from "./people.ts";
import type { Snapshot } from "./snapshot.ts";

const EARLIEST_HOUR = -1e8;
const WORD = 32;

/**
 * The columns in which each user has an event: column 0 is the time before the first period, column 1 the first period. A
 * column is a bit; each array has 32 columns for every user, by the user's number.
 */
type Visits = readonly Int32Array[];

/** Empty columns: as many as edges, since the last edge ends one, and the time before the first edge is one too. */
const noVisits = (users: number, { length }: readonly Instant[]): Visits =>
  Array.from({ length: Math.ceil(length / WORD) }, () => new Int32Array(users + 1));

const wordOf = (visits: Visits, column: number): Int32Array =>
  visits[Math.floor(column / WORD)] as Int32Array;

function mark(visits: Visits, column: number, user: number): void {
  const word = wordOf(visits, column);
  word[user] = (word[user] as number) | (1 << (column % WORD));
}

/** The events that a walk visits, and the edges of the columns. */
interface Walk {
  readonly snapshot: Snapshot;
  readonly typeId: number;
  readonly edges: readonly Instant[];
  readonly span: HourSpan;
}

/** Column 0 stays empty unless the walk begins with the earliest hour. */
function* visitsOf({ snapshot: { store, users }, typeId, edges: own, span }: Walk): Work<Visits> {
  const edges = [Number.NEGATIVE_INFINITY, ...own];
  const visits = noVisits(users, own);
  const cuts = new CutHours(store, typeId, edges);
  let lastCut: number | undefined;
  yield* eachVisitors(store, typeId, span, (row) => {
    const column = bucketOfHour(edges, row.hour);
    if (column >= 0) markUsers(row.users, column % WORD, wordOf(visits, column));
    if (column !== CUT || row.hour === lastCut) return undefined;
    lastCut = row.hour;
    return cuts.each(row.hour, (cut, user) => mark(visits, cut, user));
  });
  return visits;
}

/** The columns of members, already joined by person. Only single events say whether they count. */
function* visitsOfMembers(
  { snapshot: { store, users }, typeId, edges: own, span }: Walk,
  members: MemberNumbers,
  persons: PersonNumbers | undefined,
): Work<Visits> {
  const edges = [Number.NEGATIVE_INFINITY, ...own];
  const visits = noVisits(users, own);
  for (const id of yield* idsOf(store, typeId)) {
    yield* eachPostings(store, id, span, ({ entries, hour }) => {
      readPostings(entries, hour, (user, time) => {
        const person = personOf(persons, user);
        const column = bucketAt(edges, time);
        if (user > 0 && column >= 0 && members.has(person, time)) mark(visits, column, person);
      });
      return undefined;
    });
  }
  return visits;
}

/** Gives all columns of a person's users to the one that stands for them. */
function joinPersons(visits: Visits, persons: PersonNumbers): void {
  for (const [user, person] of persons.entries()) {
    if (person === user) continue;
    for (const words of visits) {
      words[person] = (words[person] as number) | (words[user] as number);
      words[user] = 0;
    }
  }
}

/** The bits of a user from this column on; the lowest one is the column's own. */
function bitsFrom(visits: Visits, user: number, column: number): number {
  const word = Math.floor(column / WORD);
  const shift = column % WORD;
  const low = (visits[word]?.[user] ?? 0) >>> shift;
  return shift === 0 ? low : low | ((visits[word + 1]?.[user] ?? 0) << (WORD - shift));
}

const lowestBit = (bits: number): number => WORD - 1 - Math.clz32(bits & -bits);

type VisitColumn = (user: number, column: number) => void;

/** Visits the columns of a user in order, or only the first one. */
// Hot: it runs for every user, so it must not allocate.
function eachColumn(visits: Visits, user: number, onlyFirst: boolean, visit: VisitColumn): void {
  for (let word = 0; word < visits.length; word++) {
    for (let bits = visits[word]?.[user] ?? 0; bits !== 0; bits &= bits - 1) {
      visit(user, WORD * word + lowestBit(bits));
      if (onlyFirst) return;
    }
  }
}

/** Counts the users that joined in each column, and those of them that returned in each column from there on. */
function countCohorts(question: RetentionQuestion, joined: Visits, returned: Visits): CohortCount[] {
  const { cohort, cohorts, periods } = question;
  const users = new Uint32Array(cohorts + 1);
  // A row of 32 for each column: a word has room for as many periods as can be asked for.
  const back = new Uint32Array(WORD * (cohorts + 1));
  const followed = (1 << periods) - 1;
  const count: VisitColumn = (user, column) => {
    if (column > cohorts) return;
    users[column] = (users[column] as number) + 1;
    for (let bits = bitsFrom(returned, user, column) & followed; bits !== 0; bits &= bits - 1) {
      const place = WORD * column + lowestBit(bits);
      back[place] = (back[place] as number) + 1;
    }
  };
  for (let user = 1; user < (joined[0]?.length ?? 0); user++) {
    eachColumn(joined, user, cohort === "first", count);
  }
  return Array.from({ length: cohorts }, (_, index) => {
    const row = WORD * (index + 1);
    return {
      users: users[index + 1] ?? 0,
      returned: [...back.subarray(row, row + periodsOf(question, index))],
    };
  });
}

/** Answers a retention from rollups. */
export function* retentionFromRollups(snapshot: Snapshot, question: RetentionQuestion): Work<CohortCount[]> {
  const { edges, event_type, return_event_type, cohort } = question;
  const persons = yield* personNumbersOf(snapshot);
  const members = yield* memberNumbersOf(snapshot, question.members, persons);
  const { first, last } = spanOf(edges[0] ?? 0, edges.at(-1) ?? 0);
  function* visits(type: string | null, fromTheBeginning: boolean): Work<Visits> {
    const typeId = yield* typeIdOf(snapshot.store, type);
    const span = { first: fromTheBeginning ? EARLIEST_HOUR : first, last };
    const walk = { snapshot, typeId, edges, span };
    if (members !== undefined) return yield* visitsOfMembers(walk, members, persons);
    const found = yield* visitsOf(walk);
    if (persons !== undefined) joinPersons(found, persons);
    return found;
  }
  const joined = yield* visits(event_type, cohort === "first");
  const returned = return_event_type === event_type ? joined : yield* visits(return_event_type, false);
  return countCohorts(question, joined, returned);
}
