/** The size of the steps of long work, each of which holds up other writes. */
export interface StepSize {
  /** The number of items that the next step takes. */
  readonly items: number;
  /** Adapts the size to a step of this many items. */
  took(items: number, milliseconds: number): void;
  /** Runs a step of all its items, and adapts the size to it. */
  timed<T>(act: () => T): T;
}

interface StepLimits {
  /** How long a step is meant to take. */
  readonly aimMs: number;
  readonly least: number;
  readonly most: number;
}

/** Sizes each step by the duration of the last one, at most twice as large. */
export function createStepSize({ aimMs, least, most }: StepLimits): StepSize {
  let size = least;
  function took(items: number, milliseconds: number): void {
    const wanted = Math.round((items * aimMs) / Math.max(1, milliseconds));
    size = Math.min(most, 2 * size, Math.max(least, wanted));
  }
  return {
    get items() {
      return size;
    },
    took,
    timed(act) {
      const startedAt = performance.now();
      const value = act();
      took(size, performance.now() - startedAt);
      return value;
    },
  };
}
