/** Reproducible random numbers: the same seed gives the same numbers on every machine. */
export interface Random {
  /** 32 random bits. */
  bits(): number;
  /** From 0 up to but not 1. */
  unit(): number;
  chance(probability: number): boolean;
  /** From 1 to `most`. */
  whole(most: number): number;
  exponential(mean: number): number;
  /** Half of the numbers are below the median; a larger spread puts more of them far above it. */
  logNormal(median: number, spread: number): number;
}

const WARM_UP = 15;

/** The generator sfc32, which is small and passes the usual statistical tests. */
export function randomOf(seed: number): Random {
  let [a, b, c, count] = [0x9e3779b9, 0x243f6a88, seed | 0, 1];

  function bits(): number {
    const sum = (((a + b) | 0) + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
  for (let round = 0; round < WARM_UP; round++) bits();

  const unit = (): number => bits() / 2 ** 32;
  const exponential = (mean: number): number => -mean * Math.log(1 - unit());
  // The Box–Muller transform; its second number is not used.
  const normal = (): number => Math.sqrt(exponential(2)) * Math.cos(2 * Math.PI * unit());
  return {
    bits,
    unit,
    chance: (probability) => unit() < probability,
    whole: (most) => 1 + Math.floor(unit() * most),
    exponential,
    logNormal: (median, spread) => median * Math.exp(spread * normal()),
  };
}

/** Chooses among values in proportion to their weights. */
export function choiceOf<T>(
  weighted: readonly (readonly [value: T, weight: number])[],
): (random: Random) => T {
  const sum = weighted.reduce((total, [, weight]) => total + weight, 0);
  const [[last]] = weighted.slice(-1) as [readonly [T, number]];
  return (random) => {
    let place = random.unit() * sum;
    for (const [value, weight] of weighted) {
      place -= weight;
      if (place < 0) return value;
    }
    return last;
  };
}

export const oneOf = <T>(values: readonly T[]): ((random: Random) => T) =>
  choiceOf(values.map((value) => [value, 1]));
