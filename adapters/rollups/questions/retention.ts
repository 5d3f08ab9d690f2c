import { type CohortCount, periodsOf, type RetentionQuestion } from "../../../domain/reports/retention.ts";
import type { Instant } from "../../../domain/time.ts";
import { markUsers } from "../formats.ts";
import { bucketOfHour, CUT, CutHours, eachVisitors, spanOf, typeIdOf } from "../reader.ts";
import type { Work } from "../work.ts";
import { type PersonNumbers, personNumbersOf } from "./people.ts";
import type { Snapshot } from "./snapshot.ts";

const EARLIEST_HOUR = -1e8;
const WORD = 32;

/**
 * The columns in which each user has an event: column 0 is the time before the first period, column 1 the first period. A
 * column is a bit; each array has 32 columns for every user, by the user's number.
 */
type Visits = readonly Int32Array[];

/** Column 0 stays empty unless the walk begins with the earliest hour. */
function* visitsOf(
  { store, users }: Snapshot,
  typeId: number,
  own: readonly Instant[],
  fromTheBeginning: boolean,
): Work<Visits> {
  const edges = [Number.NEGATIVE_INFINITY, ...own];
  // As many columns as edges: the last edge ends a column, and the time before the first one is a column too.
  const words = Array.from({ length: Math.ceil(own.length / WORD) }, () => new Int32Array(users + 1));
  const wordOf = (column: number) => words[Math.floor(column / WORD)] as Int32Array;
  const { first, last } = spanOf(own[0] ?? 0, own.at(-1) ?? 0);
  const span = { first: fromTheBeginning ? EARLIEST_HOUR : first, last };
  const cuts = new CutHours(store, typeId, edges);
  let lastCut: number | undefined;
  const mark = (column: number, user: number): void => {
    const word = wordOf(column);
    word[user] = (word[user] as number) | (1 << (column % WORD));
  };
  yield* eachVisitors(store, typeId, span, (row) => {
    const column = bucketOfHour(edges, row.hour);
    if (column >= 0) markUsers(row.users, column % WORD, wordOf(column));
    if (column !== CUT || row.hour === lastCut) return undefined;
    lastCut = row.hour;
    return cuts.each(row.hour, mark);
  });
  return words;
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
  function* visits(type: string | null, fromTheBeginning: boolean): Work<Visits> {
    const typeId = yield* typeIdOf(snapshot.store, type);
    const found = yield* visitsOf(snapshot, typeId, edges, fromTheBeginning);
    if (persons !== undefined) joinPersons(found, persons);
    return found;
  }
  const joined = yield* visits(event_type, cohort === "first");
  const returned = return_event_type === event_type ? joined : yield* visits(return_event_type, false);
  return countCohorts(question, joined, returned);
}
