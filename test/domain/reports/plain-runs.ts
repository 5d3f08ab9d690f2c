import type { Instant } from "../../../domain/time.ts";

// Finds a user's best run through a funnel by comparing all runs. Slow, and meant to be obviously correct.

/** An event of one user, and the steps that it matches. */
export interface Footstep {
  readonly id: number;
  readonly occurred_at: Instant;
  readonly fits: readonly number[];
}

/** Indexes into a user's events, one for each step taken. */
type Chain = readonly number[];

interface Funnel {
  readonly order: "ordered" | "strict" | "unordered";
  readonly steps: number;
  readonly window: number;
}

const timeAt = (events: readonly Footstep[], at: number | undefined): Instant =>
  events[at ?? -1]?.occurred_at ?? Number.NaN;

/** Every chain of successive events that takes the first steps within the window. */
function orderedChains(events: readonly Footstep[], { steps, window }: Funnel): Chain[] {
  const chains: Chain[] = [];
  function extend(chain: Chain): void {
    const [first] = chain;
    const last = chain.at(-1) ?? -1;
    for (const [at, event] of events.entries()) {
      const inTime = first === undefined || event.occurred_at - timeAt(events, first) <= window;
      if (at <= last || !inTime || !event.fits.includes(chain.length)) continue;
      chains.push([...chain, at]);
      if (chain.length + 1 < steps) extend([...chain, at]);
    }
  }
  extend([]);
  return chains;
}

const isUnbroken = (chain: Chain): boolean => chain.every((at, step) => at === (chain[0] ?? 0) + step);

const subsetsOf = (count: number): number[][] =>
  Array.from({ length: 2 ** count }, (_, bits) =>
    Array.from({ length: count }, (_, step) => step).filter((step) => Math.floor(bits / 2 ** step) % 2 === 1),
  );

/** The most steps that distinct events can cover. By König's theorem the tightest set of steps alone bounds it. */
function mostSteps(events: readonly Footstep[], steps: number): number {
  const bounds = subsetsOf(steps).map((subset) => {
    const able = events.filter(({ fits }) => fits.some((step) => subset.includes(step)));
    return steps - subset.length + able.length;
  });
  return Math.min(...bounds);
}

/** For each first event, the events that add a step, with the steps in any order. */
function unorderedChains(events: readonly Footstep[], { steps, window }: Funnel): Chain[] {
  return events.map((first, start) => {
    const taken: number[] = [];
    for (let at = start; at < events.length; at += 1) {
      if (timeAt(events, at) - first.occurred_at > window) break;
      if (mostSteps(events.slice(start, at + 1), steps) > taken.length) taken.push(at);
    }
    // An event that matches no step begins no run.
    return first.fits.length === 0 ? [] : taken;
  });
}

function chainsOf(events: readonly Footstep[], funnel: Funnel): Chain[] {
  if (funnel.order === "unordered") return unorderedChains(events, funnel);
  const chains = orderedChains(events, funnel);
  return funnel.order === "strict" ? chains.filter(isUnbroken) : chains;
}

/** Negative where the first run is better: more steps, then complete sooner, then begun later, then earlier steps. */
function byMerit(one: Chain, other: Chain): number {
  const merits = [
    other.length - one.length,
    (one.at(-1) ?? 0) - (other.at(-1) ?? 0),
    (other[0] ?? 0) - (one[0] ?? 0),
    ...one.map((at, step) => at - (other[step] ?? 0)),
  ];
  return merits.find((merit) => merit !== 0) ?? 0;
}

/** A user's best run over events in the order of time and id: its first event, and the time of each step. */
export function plainBestRun(
  events: readonly Footstep[],
  funnel: Funnel,
): { readonly first: number; readonly times: readonly Instant[] } | undefined {
  const chains = chainsOf(events, funnel).filter((chain) => chain.length > 0);
  const [best] = chains.sort(byMerit);
  const first = events[best?.[0] ?? -1];
  return best && first && { first: first.id, times: best.map((at) => timeAt(events, at)) };
}
