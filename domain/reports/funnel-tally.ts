import { holdsAll, propertiesOf, type Scalar, scalarOf } from "./condition.ts";
import type { FunnelCount, FunnelQuestion, StepCount } from "./funnel.ts";
import { bestRun, type Footprint, type Run } from "./funnel-run.ts";
import { groupKey, largest, type Mergeable } from "./groups.ts";
import { hasGroups, type Membership } from "./members.ts";
import type { AskedEvent } from "./trend-tally.ts";

function medianOf(times: readonly number[]): number | null {
  // An array of numbers alone sorts in a fifth of the time.
  const sorted = Float64Array.from(times).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Sums up the runs of all users, or of one group of them. */
class RunTally implements Mergeable<RunTally> {
  /** For each step after the first, each user's time since the previous step. */
  readonly #times: number[][];
  #users = 0;

  constructor(steps: number) {
    this.#times = Array.from({ length: steps }, () => []);
  }

  get size(): number {
    return this.#users;
  }

  add({ times }: Run): void {
    this.#users += 1;
    for (let step = 1; step < times.length; step++) {
      this.#times[step]?.push((times[step] ?? 0) - (times[step - 1] ?? 0));
    }
  }

  merge(other: RunTally): RunTally {
    const merged = new RunTally(this.#times.length);
    merged.#users = this.#users + other.#users;
    for (const [step, times] of merged.#times.entries()) {
      for (const one of [this, other]) for (const time of one.#times[step] ?? []) times.push(time);
    }
    return merged;
  }

  counts(): StepCount[] {
    return this.#times.map((times, step) =>
      step === 0
        ? { users: this.#users, median_ms: null }
        : { users: times.length, median_ms: medianOf(times) },
    );
  }
}

/** The runs whose users are listed, by their first events: those with the highest ids, which began last. */
class ListedRuns {
  readonly #listing: NonNullable<FunnelQuestion["users"]>;
  #firsts: number[] = [];

  constructor(listing: NonNullable<FunnelQuestion["users"]>) {
    this.#listing = listing;
  }

  add({ first, times }: Run): void {
    const { step, outcome, limit } = this.#listing;
    if (outcome === "left" ? times.length !== step : times.length < step) return;
    this.#firsts.push(first);
    if (this.#firsts.length > 2 * limit) this.#firsts = this.newest();
  }

  newest(): number[] {
    return this.#firsts.sort((a, b) => b - a).slice(0, this.#listing.limit);
  }
}

/** Sums up all runs, and with a breakdown the runs of each group. */
export class FunnelTally {
  readonly #question: FunnelQuestion;
  readonly #listed: ListedRuns | undefined;
  readonly #all: RunTally;
  readonly #groups = new Map<string, RunTally>();

  constructor(question: FunnelQuestion) {
    this.#question = question;
    this.#listed = question.users === undefined ? undefined : new ListedRuns(question.users);
    this.#all = new RunTally(question.steps.length);
  }

  /** The first events of the users to list, newest first; undefined where none were asked for. */
  firstEvents(): readonly number[] | undefined {
    return this.#listed?.newest();
  }

  /** `value` is the breakdown property of the run's first event, or the person's variant. */
  add(run: Run, value: Scalar | null): void {
    this.#all.add(run);
    this.#listed?.add(run);
    if (!hasGroups(this.#question)) return;
    const key = groupKey(value);
    const group = this.#groups.get(key) ?? new RunTally(this.#question.steps.length);
    group.add(run);
    this.#groups.set(key, group);
  }

  count(): FunnelCount {
    const steps = this.#all.counts();
    if (!hasGroups(this.#question)) return { steps };
    const groups = largest(this.#groups, this.#question.limit);
    return { steps, groups: groups.map(({ group, part }) => ({ group, steps: part.counts() })) };
  }
}

/** A bit mask of the steps that an event matches. */
export function stepsOf(
  { steps }: FunnelQuestion,
  event_type: string,
  properties: () => string | null,
): number {
  let bits = 0;
  for (const [index, step] of steps.entries()) {
    if (step.event_type !== event_type) continue;
    if (step.where.length === 0 || holdsAll(step.where, propertiesOf(properties()))) bits |= 1 << index;
  }
  return bits;
}

export type FunnelEvent = Omit<AskedEvent, "session_id"> & { readonly id: number };

/**
 * Computes a funnel from the raw events of the range, which must come user by user, each user's in the order of time and
 * id. Events that match no step are needed for the strict order alone.
 */
export class FunnelReader {
  readonly #question: FunnelQuestion;
  readonly #members: Membership | undefined;
  readonly #tally: FunnelTally;
  #user: string | null = null;
  #footprints: Footprint[] = [];
  readonly #values = new Map<number, Scalar | null>();

  /** `members` are the people of the question, where it names any. */
  constructor(question: FunnelQuestion, members?: Membership) {
    this.#question = question;
    this.#members = members;
    this.#tally = new FunnelTally(question);
  }

  add({ id, event_type, user_id, properties, occurred_at }: FunnelEvent): void {
    if (user_id === null || this.#members?.has(user_id, occurred_at) === false) return;
    if (user_id !== this.#user) this.#finish();
    this.#user = user_id;
    const steps = stepsOf(this.#question, event_type, () => properties);
    this.#footprints.push({ id, occurred_at, steps });
    const { breakdown } = this.#question;
    if (breakdown !== undefined) this.#values.set(id, scalarOf(propertiesOf(properties), breakdown));
  }

  #finish(): void {
    const run = bestRun(this.#footprints, this.#question);
    const variant = this.#members?.variantOf(this.#user) ?? null;
    if (run !== undefined) this.#tally.add(run, this.#values.get(run.first) ?? variant);
    this.#footprints = [];
    this.#values.clear();
  }

  /** The tally of all events. */
  finished(): FunnelTally {
    this.#finish();
    return this.#tally;
  }
}
