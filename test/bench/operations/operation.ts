import type { Measured, Rounds } from "../samples.ts";

/** Something to measure, and the contenders that do it. */
export interface Operation {
  readonly name: string;
  readonly title: string;
  /** What a rate counts. */
  readonly unit: string;
  run(rounds: Rounds, folder: string): Promise<Measured>;
}
