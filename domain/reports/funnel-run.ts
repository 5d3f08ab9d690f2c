import type { Instant } from "../time.ts";
import type { FunnelQuestion } from "./funnel.ts";

/** An event of one user, reduced to what a funnel needs. */
export interface Footprint {
  readonly id: number;
  readonly occurred_at: Instant;
  /** A bit mask of the steps that the event matches; bit 0 is the first step. */
  readonly steps: number;
}

/** A user's way through the funnel: the time of each step taken, and the id of the event that was the first step. */
export interface Run {
  readonly first: number;
  readonly times: readonly Instant[];
}

const can = ({ steps }: Footprint, step: number): boolean => (steps & (1 << step)) !== 0;

interface Chain extends Run {
  /** The index of its first event. */
  readonly start: number;
}

/** The chain of the previous step, extended by an event as this step; undefined where the event cannot be this step. */
function extended(
  before: Chain | undefined,
  footprint: Footprint,
  { step, turn, window }: { step: number; turn: number; window: number },
): Chain | undefined {
  const { id, occurred_at } = footprint;
  if (!can(footprint, step)) return undefined;
  if (step === 0) return { first: id, start: turn, times: [occurred_at] };
  if (before === undefined || occurred_at - (before.times[0] ?? 0) > window) return undefined;
  return { ...before, times: [...before.times, occurred_at] };
}

const further = (best: Chain | undefined, chain: Chain): Chain =>
  best === undefined || chain.times.length > best.times.length ? chain : best;

/**
 * Finds the run with the most steps. Among equals it takes the one that is complete first, then the one that begins last,
 * then the one with the earliest steps. One pass: for each number of steps it keeps the chain that began last, because
 * that chain has the most time left.
 */
function orderedRun(footprints: readonly Footprint[], steps: number, window: number): Run | undefined {
  const chains: (Chain | undefined)[] = [];
  let best: Chain | undefined;
  for (const [turn, footprint] of footprints.entries()) {
    // From the last step down, so that no event counts as two steps of one chain.
    for (let step = Math.min(steps - 1, chains.length); step >= 0; step--) {
      const chain = extended(chains[step - 1], footprint, { step, turn, window });
      if (chain === undefined) continue;
      if (chain.start > (chains[step]?.start ?? -1)) chains[step] = chain;
      best = further(best, chain);
    }
    if (best?.times.length === steps) return best;
  }
  return best;
}

/** Like the ordered run, with no other event of the user in between: a chain ends unless the next event extends it. */
function strictRun(footprints: readonly Footprint[], steps: number, window: number): Run | undefined {
  let chains: (Chain | undefined)[] = [];
  let best: Chain | undefined;
  for (const [turn, footprint] of footprints.entries()) {
    const before = chains;
    chains = [];
    if (footprint.steps === 0) continue;
    chains = Array.from({ length: steps }, (_, step) =>
      extended(before[step - 1], footprint, { step, turn, window }),
    );
    for (const chain of chains) if (chain !== undefined) best = further(best, chain);
    if (best?.times.length === steps) return best;
  }
  return best;
}

/** The index of the event that is matched with each step; -1 for none. */
type Matching = number[];

/** Matches one more event with a step. Moves other events to other steps where that makes room (augmenting path). */
function augment(events: readonly Footprint[], turn: number, matching: Matching, seen: Set<number>): boolean {
  const event = events[turn];
  if (event === undefined) return false;
  for (let step = 0; step < matching.length; step++) {
    if (!can(event, step) || seen.has(step)) continue;
    seen.add(step);
    const holder = matching[step] ?? -1;
    if (holder < 0 || augment(events, holder, matching, seen)) {
      matching[step] = turn;
      return true;
    }
  }
  return false;
}

/** The indexes of the events that add a step to the run that begins with this event. */
function takenFrom(
  events: readonly Footprint[],
  start: number,
  kinds: number,
  steps: number,
  window: number,
): number[] {
  const matching: Matching = new Array(steps).fill(-1);
  const taken: number[] = [];
  // Where an event finds no free step, no later event that matches the same steps does.
  const useless = new Set<number>();
  const begins = events[start]?.occurred_at ?? 0;
  for (let turn = start; turn < events.length; turn++) {
    const { occurred_at, steps: mask } = events[turn] as Footprint;
    if (occurred_at - begins > window || taken.length === steps || useless.size === kinds) break;
    if (useless.has(mask)) continue;
    if (augment(events, turn, matching, new Set())) taken.push(turn);
    else useless.add(mask);
  }
  return taken;
}

/** Chooses among runs like the ordered run, with the steps in any order. An event is one step at most. */
function unorderedRun(footprints: readonly Footprint[], steps: number, window: number): Run | undefined {
  const events = footprints.filter((footprint) => footprint.steps !== 0);
  const kinds = new Set(events.map((event) => event.steps)).size;
  let best: number[] = [];
  for (let start = 0; start < events.length; start++) {
    const taken = takenFrom(events, start, kinds, steps, window);
    const isBetter =
      taken.length > best.length ||
      (taken.length === best.length && (taken.at(-1) ?? 0) <= (best.at(-1) ?? 0));
    if (isBetter) best = taken;
    // No run that begins after the end of the best one can be complete sooner.
    if (best.length === steps && start >= (best.at(-1) ?? 0)) break;
  }
  const first = events[best[0] ?? -1];
  return first && { first: first.id, times: best.map((turn) => events[turn]?.occurred_at ?? 0) };
}

const RUNS = { ordered: orderedRun, strict: strictRun, unordered: unorderedRun };

/** A user's best run through the funnel. Takes their events in the order of time and id; undefined where none is a step. */
export const bestRun = (
  footprints: readonly Footprint[],
  { order, steps, window_ms }: Pick<FunnelQuestion, "order" | "steps" | "window_ms">,
): Run | undefined => RUNS[order](footprints, steps.length, window_ms);
