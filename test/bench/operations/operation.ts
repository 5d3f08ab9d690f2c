import type { Measured, Rounds } from "../samples.ts";

/** A baseline that the rates of the contenders are divided by. */
export interface Baseline {
  /** The column title. */
  readonly name: string;
  /** Returns the contender to compare this one with. */
  baselineOf(contender: string): string;
}

/** An operation to measure with several contenders. */
export interface Operation {
  readonly name: string;
  readonly title: string;
  /** The unit of the rates, such as `events/s`. */
  readonly unit: string;
  /** Default: hello. */
  readonly baselines?: readonly Baseline[];
  run(rounds: Rounds, folder: string): Promise<Measured>;
}
