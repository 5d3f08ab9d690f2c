import type { Measured, Rounds } from "../samples.ts";

/** What the other contenders are multiples of. */
export interface Yardstick {
  /** Its name at the head of a column. */
  readonly name: string;
  /** The contender that this one is beside. */
  beside(contender: string): string;
}

/** Something to measure, and the contenders that do it. */
export interface Operation {
  readonly name: string;
  readonly title: string;
  /** What a rate counts. */
  readonly unit: string;
  /** Hello alone where nothing is said. */
  readonly yardsticks?: readonly Yardstick[];
  run(rounds: Rounds, folder: string): Promise<Measured>;
}
