import { propertiesOf, scalarOf } from "../../domain/reports/condition.ts";
import type { FunnelCount, FunnelQuestion } from "../../domain/reports/funnel.ts";
import { bestRun, type Footprint, type Run } from "../../domain/reports/funnel-run.ts";
import { FunnelTally, stepsOf } from "../../domain/reports/funnel-tally.ts";
import type { Instant } from "../../domain/time.ts";
import { ALL_TYPES } from "./fold-plan.ts";
import { FootprintColumns, LastBefore } from "./footprint-columns.ts";
import type { Patience } from "./patience.ts";
import { type RollupReader, spanOf } from "./rollup-reader.ts";

interface Walk {
  readonly reader: RollupReader;
  readonly question: FunnelQuestion;
  readonly patience: Patience;
}

/** Visits the events of a type that lie in the range, with the steps that each can be; those without a user never. */
function eachEvent(
  { reader, question, patience }: Walk,
  type: string,
  visit: (user: number, time: Instant, id: number, steps: number) => void,
): void {
  const { from, to, steps } = question;
  const typeId = reader.typeId(type);
  if (typeId === undefined) return;
  const asks = steps.some(({ event_type, where }) => event_type === type && where.length > 0);
  const all = stepsOf(question, type, () => null);
  reader.postings({ typeId, span: spanOf(from, to), patience }, (user, time, id) => {
    if (user === 0 || time < from || time >= to) return;
    visit(user, time, id, asks ? stepsOf(question, type, () => reader.properties(id)) : all);
  });
}

const FIRST_STEP = 1;

/** Who took the first step, and his first event that was it. */
class Beginners {
  readonly #times: Float64Array;
  readonly #ids: Float64Array;

  constructor(users: number) {
    this.#times = new Float64Array(users + 1).fill(Number.POSITIVE_INFINITY);
    this.#ids = new Float64Array(users + 1);
  }

  add(user: number, time: Instant, id: number): void {
    const known = this.#times[user] as number;
    if (time > known || (time === known && id > (this.#ids[user] as number))) return;
    this.#times[user] = time;
    this.#ids[user] = id;
  }

  has = (user: number): boolean => this.#times[user] !== Number.POSITIVE_INFINITY;

  runOf = (user: number): Run => ({ first: this.#ids[user] as number, times: [this.#times[user] as number] });
}

/** What decides how far users have come. */
interface Collected {
  readonly beginners: Beginners;
  /** Who has done anything that can be a later step. */
  readonly goesOn: (user: number) => boolean;
  /** The events of those that a run may go through, in their order. */
  readonly footprintsOf: (user: number) => Footprint[];
}

/**
 * Reads the later steps first: whoever has none of them has come as far as the first one, and none of his many events of
 * that need be looked at again.
 */
function collect(walk: Walk, users: number): Collected {
  const { steps, order } = walk.question;
  const later = new Set(steps.slice(1).map(({ event_type }) => event_type));
  const first = steps[0]?.event_type ?? "";
  const columns = new FootprintColumns();
  const beginners = new Beginners(users);
  const hasLater = new Uint8Array(users + 1);
  for (const type of later) {
    eachEvent(walk, type, (user, time, id, bits) => {
      if (bits & FIRST_STEP) beginners.add(user, time, id);
      if (bits !== 0) hasLater[user] = 1;
      if (bits !== 0 || order === "strict") columns.add(user, time, id, bits);
    });
  }
  const goesOn = (user: number): boolean => hasLater[user] === 1;
  const part = { walk, first, users, columns, beginners, goesOn };
  if (later.has(first)) return { beginners, goesOn, footprintsOf: allFootprints(part, later) };
  return {
    beginners,
    goesOn,
    footprintsOf: order === "ordered" ? lastFirstSteps(part) : allFootprints(part, later),
  };
}

interface Part extends Pick<Collected, "beginners" | "goesOn"> {
  readonly walk: Walk;
  readonly first: string;
  readonly users: number;
  readonly columns: FootprintColumns;
}

/** Where the first step is taken again and again, a run that goes on goes on from the last time, which leaves most time. */
function lastFirstSteps({ walk, first, users, columns, beginners, goesOn }: Part): Collected["footprintsOf"] {
  const footprints = columns.byUser(users);
  const firstSteps = new LastBefore(footprints, users);
  eachEvent(walk, first, (user, time, id, bits) => {
    if (bits === 0) return;
    beginners.add(user, time, id);
    if (goesOn(user)) firstSteps.add(user, time, id);
  });
  return (user) => {
    const own: Footprint[] = [];
    for (let place = footprints.start(user); place < footprints.end(user); place++) {
      const firstStep = firstSteps.before(place, FIRST_STEP);
      if (firstStep !== undefined) own.push(firstStep);
      own.push(footprints.at(place));
    }
    return own;
  };
}

function allFootprints(part: Part, later: ReadonlySet<string>): Collected["footprintsOf"] {
  const { walk, first, users, columns, beginners, goesOn } = part;
  const isStrict = walk.question.order === "strict";
  if (!later.has(first)) {
    eachEvent(walk, first, (user, time, id, bits) => {
      if (bits !== 0) beginners.add(user, time, id);
      if (goesOn(user) && (bits !== 0 || isStrict)) columns.add(user, time, id, bits);
    });
  }
  if (isStrict) addOthers(part, new Set([first, ...later]));
  const footprints = columns.byUser(users);
  return (user) => {
    const own: Footprint[] = [];
    for (let place = footprints.start(user); place < footprints.end(user); place++)
      own.push(footprints.at(place));
    return own;
  };
}

/** Adds what users did that is no step: in strict order it stands in their way. */
function addOthers({ walk, columns, beginners, goesOn }: Part, known: ReadonlySet<string>): void {
  const { reader, question, patience } = walk;
  const { from, to } = question;
  const knownIds = new Set([...known].map((type) => reader.typeId(type)));
  for (const typeId of reader.idsOf(ALL_TYPES)) {
    if (knownIds.has(typeId)) continue;
    reader.postings({ typeId, span: spanOf(from, to), patience }, (user, time, id) => {
      if (user > 0 && time >= from && time < to && goesOn(user) && beginners.has(user)) {
        columns.add(user, time, id, 0);
      }
    });
  }
}

/** A user's best run. Whoever has come no further than the first step has taken it when he first did. */
function runOf(
  user: number,
  { beginners, goesOn, footprintsOf }: Collected,
  question: FunnelQuestion,
): Run | undefined {
  const isUnordered = question.order === "unordered";
  const began = beginners.has(user);
  const run = goesOn(user) && (isUnordered || began) ? bestRun(footprintsOf(user), question) : undefined;
  if (run !== undefined && (isUnordered || run.times.length > 1)) return run;
  return began ? beginners.runOf(user) : undefined;
}

const USERS_A_CHECK = 1_024;

/** The answer from what is kept of the events; their properties are looked up where steps or groups ask for them. */
export function funnelFromRollups(
  reader: RollupReader,
  question: FunnelQuestion,
  patience: Patience,
): FunnelCount {
  const { breakdown } = question;
  const { users } = reader.state();
  const collected = collect({ reader, question, patience }, users);
  const tally = new FunnelTally(question);
  for (let user = 1; user <= users; user++) {
    if (user % USERS_A_CHECK === 0) patience.check();
    const run = runOf(user, collected, question);
    if (run === undefined) continue;
    const value =
      breakdown === undefined ? null : scalarOf(propertiesOf(reader.properties(run.first)), breakdown);
    tally.add(run, value);
  }
  return tally.count();
}
