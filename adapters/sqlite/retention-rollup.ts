import { type CohortCount, periodsOf, type RetentionQuestion } from "../../domain/reports/retention.ts";
import type { Instant } from "../../domain/time.ts";
import { ALL_TYPES } from "./fold-plan.ts";
import type { Patience } from "./patience.ts";
import { markUsers } from "./rollup-formats.ts";
import { bucketOfHour, CUT, eachInBuckets, type RollupReader, spanOf } from "./rollup-reader.ts";

const EARLIEST_HOUR = -1e8;
const WORD = 32;

/**
 * In which columns each user had an event: column 0 is the time before the first period, column 1 the first period. A
 * column is a bit, and each of the lists has 32 of them for every user, by his number.
 */
type Visits = readonly Int32Array[];

interface Walk {
  readonly reader: RollupReader;
  readonly typeId: number;
  readonly edges: readonly Instant[];
  readonly users: number;
  readonly patience: Patience;
}

/** Column 0 is left empty unless the walk begins with the earliest hour. */
function visitsOf({ reader, typeId, edges: own, users, patience }: Walk, fromTheBeginning: boolean): Visits {
  const edges = [Number.NEGATIVE_INFINITY, ...own];
  // As many columns as edges of their own: the last edge ends one, and the time before the first is one more.
  const words = Array.from({ length: Math.ceil(own.length / WORD) }, () => new Int32Array(users + 1));
  const wordOf = (column: number) => words[Math.floor(column / WORD)] as Int32Array;
  const { first, last } = spanOf(own[0] ?? 0, own.at(-1) ?? 0);
  const span = { first: fromTheBeginning ? EARLIEST_HOUR : first, last };
  let lastCut: number | undefined;
  reader.visitors({ typeId, span, patience }, (hour, bytes) => {
    const column = bucketOfHour(edges, hour);
    if (column >= 0) markUsers(bytes, column % WORD, wordOf(column));
    if (column !== CUT || hour === lastCut) return;
    lastCut = hour;
    eachInBuckets(reader, { typeId, hour, edges, patience }, (found, user) => {
      const word = wordOf(found);
      word[user] = (word[user] as number) | (1 << (found % WORD));
    });
  });
  return words;
}

/** The bits of a user from this column on, its own the lowest. */
function bitsFrom(visits: Visits, user: number, column: number): number {
  const word = Math.floor(column / WORD);
  const shift = column % WORD;
  const low = (visits[word]?.[user] ?? 0) >>> shift;
  return shift === 0 ? low : low | ((visits[word + 1]?.[user] ?? 0) << (WORD - shift));
}

const lowestBit = (bits: number): number => WORD - 1 - Math.clz32(bits & -bits);

type VisitColumn = (user: number, column: number) => void;

/** Visits the columns of a user, the first one first; only that one where no more are wanted. */
// Hot: for each of all users. Nothing in it may make an object.
function eachColumn(visits: Visits, user: number, onlyFirst: boolean, visit: VisitColumn): void {
  for (let word = 0; word < visits.length; word++) {
    for (let bits = visits[word]?.[user] ?? 0; bits !== 0; bits &= bits - 1) {
      visit(user, WORD * word + lowestBit(bits));
      if (onlyFirst) return;
    }
  }
}

/** Who joined in which column, and came back in which of those after it. */
function countCohorts(question: RetentionQuestion, joined: Visits, returned: Visits): CohortCount[] {
  const { cohort, cohorts, periods } = question;
  const users = new Uint32Array(cohorts + 1);
  // A row of so many for each column, for a word has room for all periods that may be asked for.
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

/** The answer from what is kept. */
export function retentionFromRollups(
  reader: RollupReader,
  question: RetentionQuestion,
  patience: Patience,
): CohortCount[] {
  const { users } = reader.state();
  const { edges, event_type, return_event_type, cohort } = question;
  const visits = (type: string | null, fromTheBeginning: boolean): Visits => {
    const typeId = type === null ? ALL_TYPES : (reader.typeId(type) ?? NO_TYPE);
    return visitsOf({ reader, typeId, edges, users, patience }, fromTheBeginning);
  };
  const joined = visits(event_type, cohort === "first");
  const returned = return_event_type === event_type ? joined : visits(return_event_type, false);
  return countCohorts(question, joined, returned);
}

/** Of a type that has no events. */
const NO_TYPE = -1;
