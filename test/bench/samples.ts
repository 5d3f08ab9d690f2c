/** The figures of one contender in one round. */
export interface Sample {
  /** Operations per second. */
  readonly rate: number;
  /** CPU time of the server per operation, in microseconds. NaN if unknown. */
  readonly cpu: number;
  /** Latency in milliseconds. NaN if single requests were not timed. */
  readonly p50: number;
  readonly p99: number;
  /** Share of requests without a successful answer. The other figures exclude these requests. */
  readonly refused?: number;
  /** Resident memory after the start, in megabytes. */
  readonly memory?: number;
}

/** A sample of a contender without HTTP: only its rate is known. */
export const rateAlone = (rate: number): Sample => ({
  rate,
  cpu: Number.NaN,
  p50: Number.NaN,
  p99: Number.NaN,
});

/** Returns the percentile of values in ascending order. The share is from 0 to 1. */
export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = Number.isInteger(middle)
    ? ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
    : (sorted[Math.floor(middle)] ?? Number.NaN);
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

export interface Contestant {
  readonly name: string;
  measure(seconds: number): Promise<Sample>;
}

export interface Rounds {
  readonly rounds: number;
  readonly seconds: number;
}

/** Samples by contender, one per round. */
export type Measured = ReadonlyMap<string, readonly Sample[]>;

/**
 * Alternates between the contenders and reverses their order every second round, so that a drift in the speed of the
 * machine affects all of them equally. Discards one round of warm-up.
 */
export async function interleave(
  contestants: readonly Contestant[],
  { rounds, seconds }: Rounds,
): Promise<Measured> {
  for (const { measure } of contestants) await measure(seconds);
  const measured = new Map<string, Sample[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? contestants : [...contestants].reverse();
    for (const { name, measure } of order) measured.get(name)?.push(await measure(seconds));
  }
  return measured;
}

/** Ratio of a figure of two contenders, by default of their rates. Compares samples of the same round only. */
export function ratioOf(
  measured: Measured,
  one: string,
  other: string,
  figure: (sample: Sample) => number = ({ rate }) => rate,
): Spread | undefined {
  const ours = measured.get(one);
  const theirs = measured.get(other);
  if (ours === undefined || theirs === undefined) return undefined;
  return spreadOf(
    ours.flatMap((sample, round) => {
      const baseline = theirs[round];
      return baseline === undefined ? [] : [figure(sample) / figure(baseline)];
    }),
  );
}
