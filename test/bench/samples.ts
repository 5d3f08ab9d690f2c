/** What one contender did in one round. */
export interface Sample {
  /** Operations a second. */
  readonly rate: number;
  /** Microseconds of the server's own processor time an operation took, where the system tells. */
  readonly cpu: number;
  /** Milliseconds, where requests were timed one by one. */
  readonly p50: number;
  readonly p99: number;
  /** The share of requests that were answered with something else than success; they are in no other figure. */
  readonly refused?: number;
  /** Megabytes, of a server that has only just started. */
  readonly memory?: number;
}

/** Of a contender without HTTP only the rate is known. */
export const rateAlone = (rate: number): Sample => ({
  rate,
  cpu: Number.NaN,
  p50: Number.NaN,
  p99: Number.NaN,
});

/** Of values in ascending order. */
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

/** What each contender did, round by round. */
export type Measured = ReadonlyMap<string, readonly Sample[]>;

/**
 * Lets the contenders take turns, every other round in the opposite order, so that a machine whose speed drifts is as
 * slow for the one as for the other. A turn before the first one counts for nobody.
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

/** How many times as fast one is as the other: taken round by round, as only those figures belong together. */
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
      const beside = theirs[round];
      return beside === undefined ? [] : [figure(sample) / figure(beside)];
    }),
  );
}
