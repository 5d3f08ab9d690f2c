import { propertiesOf, scalarOf } from "../../../domain/reports/condition.ts";
import type { FunnelCount, FunnelQuestion } from "../../../domain/reports/funnel.ts";
import { bestRun, type Footprint, type Run } from "../../../domain/reports/funnel-run.ts";
import { FunnelTally, stepsOf } from "../../../domain/reports/funnel-tally.ts";
import { HOUR, type Instant } from "../../../domain/time.ts";
import { hourOf, type Posting, readPostings } from "../formats.ts";
import { eachPostings, spanOf } from "../reader.ts";
import type { Work } from "../work.ts";
import { FootprintColumns, LastBefore } from "./footprints.ts";
import { withUsers } from "./funnel-users.ts";
import { type MemberNumbers, memberNumbersOf } from "./members.ts";
import { type PersonNumbers, personNumbersOf, personOf } from "./people.ts";
import type { Snapshot } from "./snapshot.ts";

interface Walk {
  readonly snapshot: Snapshot;
  readonly question: FunnelQuestion;
  readonly persons: PersonNumbers | undefined;
  /** Those that the question is about; undefined for everybody. */
  readonly members: MemberNumbers | undefined;
}

type VisitStep = (user: number, time: Instant, id: number, steps: number) => void;
type VisitEvent = (user: number, time: Instant, id: number) => void;

/** Visits the events of a type within the range that count and have a user, with the number of their person. */
function* eachOfType(
  { snapshot: { store }, question: { from, to }, persons, members }: Walk,
  typeId: number,
  visit: VisitEvent,
  afterRow: () => Work<void> | undefined = () => undefined,
): Work<void> {
  yield* eachPostings(store, typeId, spanOf(from, to), ({ entries, hour }) => {
    readPostings(entries, hour, (user, time, id) => {
      if (user === 0 || time < from || time >= to) return;
      const person = personOf(persons, user);
      if (members === undefined || members.has(person, time)) visit(person, time, id);
    });
    return afterRow();
  });
}

// Events whose properties are loaded together.
const EVENTS_AT_ONCE = 10_000;

/** Visits the events of a type within the range, with a bit for each step that the event can be. */
function* eachStep(walk: Walk, event_type: string, visit: VisitStep): Work<void> {
  const { snapshot, question } = walk;
  const [type] = yield* snapshot.store.types([event_type]);
  if (type === undefined) return;
  if (!question.steps.some((step) => step.event_type === event_type && step.where.length > 0)) {
    const steps = stepsOf(question, event_type, () => null);
    yield* eachOfType(walk, type.id, (user, time, id) => visit(user, time, id, steps));
    return;
  }
  let events: Posting[] = [];
  function* visitLoaded(): Work<void> {
    const loaded = events;
    events = [];
    const properties = yield* snapshot.source.propertiesOf(loaded.map(({ id }) => id));
    for (const { user, occurred_at, id } of loaded) {
      visit(
        user,
        occurred_at,
        id,
        stepsOf(question, event_type, () => properties.get(id) ?? null),
      );
    }
  }
  const gather: VisitEvent = (user, occurred_at, id) => void events.push({ user, occurred_at, id });
  yield* eachOfType(walk, type.id, gather, () =>
    events.length < EVENTS_AT_ONCE ? undefined : visitLoaded(),
  );
  yield* visitLoaded();
}

const FIRST_STEP = 1;

/** The users who took the first step, and the first event with which each did. Hours are added in rising order. */
// Hot: the few bytes of `isSettled` stay in the processor's cache, and times would not.
class Beginners {
  readonly #times: Float64Array;
  readonly #ids: Float64Array;
  /** Whether no event that is still to come can be earlier than the user's first one. */
  readonly #isSettled: Uint8Array;
  #unsettled: number[] = [];
  #hourEnd: Instant = Number.NEGATIVE_INFINITY;

  constructor(users: number) {
    this.#times = new Float64Array(users + 1).fill(Number.POSITIVE_INFINITY);
    this.#ids = new Float64Array(users + 1);
    this.#isSettled = new Uint8Array(users + 1);
  }

  add(user: number, time: Instant, id: number): void {
    if (time >= this.#hourEnd) this.#settle(time);
    if (this.#isSettled[user] === 0) this.#addUnsettled(user, time, id);
  }

  #settle(time: Instant): void {
    for (const user of this.#unsettled) this.#isSettled[user] = 1;
    this.#unsettled = [];
    this.#hourEnd = (hourOf(time) + 1) * HOUR;
  }

  #addUnsettled(user: number, time: Instant, id: number): void {
    const known = this.#times[user] as number;
    if (time > known || (time === known && id > (this.#ids[user] as number))) return;
    if (!this.has(user)) this.#unsettled.push(user);
    this.#times[user] = time;
    this.#ids[user] = id;
  }

  has = (user: number): boolean => this.#times[user] !== Number.POSITIVE_INFINITY;

  runOf = (user: number): Run => ({ first: this.#ids[user] as number, times: [this.#times[user] as number] });
}

/** The events that decide how far each user came. */
interface Collected {
  readonly beginners: Beginners;
  /** Whether the user has an event that can be a later step. */
  readonly goesOn: (user: number) => boolean;
  /** The user's events that a run may go through, in order. */
  readonly footprintsOf: (user: number) => Footprint[];
}

/** Reads the later steps first: of a user without any, the many events of the first step need no second look. */
function* collect(walk: Walk): Work<Collected> {
  const { steps, order } = walk.question;
  const { users } = walk.snapshot;
  const later = new Set(steps.slice(1).map(({ event_type }) => event_type));
  const first = steps[0]?.event_type ?? "";
  const columns = new FootprintColumns();
  const beginners = new Beginners(users);
  const hasLater = new Uint8Array(users + 1);
  for (const type of later) {
    yield* eachStep(walk, type, (user, time, id, bits) => {
      if (bits & FIRST_STEP) beginners.add(user, time, id);
      if (bits !== 0) hasLater[user] = 1;
      if (bits !== 0 || order === "strict") columns.add(user, time, id, bits);
    });
  }
  const goesOn = (user: number): boolean => hasLater[user] === 1;
  const part = { walk, first, columns, beginners, goesOn };
  const onlyLastFirst = order === "ordered" && !later.has(first);
  const footprintsOf = yield* onlyLastFirst ? lastFirstSteps(part) : allFootprints(part, later);
  return { beginners, goesOn, footprintsOf };
}

interface Part extends Pick<Collected, "beginners" | "goesOn"> {
  readonly walk: Walk;
  readonly first: string;
  readonly columns: FootprintColumns;
}

/** Of a first step that is repeated, a run that goes on uses the last one, which leaves the most time. */
function* lastFirstSteps({ walk, first, columns, beginners, goesOn }: Part): Work<Collected["footprintsOf"]> {
  const { users } = walk.snapshot;
  const footprints = columns.byUser(users);
  const firstSteps = new LastBefore(footprints, users);
  yield* eachStep(walk, first, (user, time, id, bits) => {
    if (bits === 0) return;
    beginners.add(user, time, id);
    if (goesOn(user)) firstSteps.add(user, time, id);
  });
  firstSteps.finish(users);
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

function* allFootprints(part: Part, later: ReadonlySet<string>): Work<Collected["footprintsOf"]> {
  const { walk, first, columns, beginners, goesOn } = part;
  const isStrict = walk.question.order === "strict";
  if (!later.has(first)) {
    yield* eachStep(walk, first, (user, time, id, bits) => {
      if (bits !== 0) beginners.add(user, time, id);
      if (goesOn(user) && (bits !== 0 || isStrict)) columns.add(user, time, id, bits);
    });
  }
  if (isStrict) yield* addOthers(part, new Set([first, ...later]));
  const footprints = columns.byUser(walk.snapshot.users);
  return (user) => {
    const own: Footprint[] = [];
    for (let place = footprints.start(user); place < footprints.end(user); place++)
      own.push(footprints.at(place));
    return own;
  };
}

/** Adds the users' events of other types: in strict order they end a run. */
function* addOthers({ walk, columns, beginners, goesOn }: Part, known: ReadonlySet<string>): Work<void> {
  for (const { id: typeId, event_type } of yield* walk.snapshot.store.types()) {
    if (known.has(event_type)) continue;
    yield* eachOfType(walk, typeId, (user, time, id) => {
      if (goesOn(user) && beginners.has(user)) columns.add(user, time, id, 0);
    });
  }
}

/** A user's best run. A user who came no further than the first step took it with their first event of it. */
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

// Users whose runs are worked out between two points of interruption.
const USERS_AT_ONCE = 4_096;

/** Answers a funnel from rollups. Properties are loaded where steps or groups ask for them. */
export function* funnelFromRollups(snapshot: Snapshot, question: FunnelQuestion): Work<FunnelCount> {
  const persons = yield* personNumbersOf(snapshot);
  const members = yield* memberNumbersOf(snapshot, question.members, persons);
  const collected = yield* collect({ snapshot, question, persons, members });
  const tally = new FunnelTally(question);
  for (let start = 1; start <= snapshot.users; start += USERS_AT_ONCE) {
    const runs: Run[] = [];
    const end = Math.min(start + USERS_AT_ONCE - 1, snapshot.users);
    for (let user = start; user <= end; user++) {
      const run = runOf(user, collected, question);
      if (run === undefined) continue;
      if (question.breakdown === undefined) tally.add(run, members?.nameOf(user) ?? null);
      else runs.push(run);
    }
    if (question.breakdown === undefined) yield;
    else yield* addRuns(snapshot, question.breakdown, runs, tally);
  }
  return yield* withUsers(snapshot, tally);
}

/** Adds runs by a property of their first events. */
function* addRuns(
  { source }: Snapshot,
  breakdown: string,
  runs: readonly Run[],
  tally: FunnelTally,
): Work<void> {
  const properties = yield* source.propertiesOf(runs.map(({ first }) => first));
  for (const run of runs) {
    tally.add(run, scalarOf(propertiesOf(properties.get(run.first) ?? null), breakdown));
  }
}
