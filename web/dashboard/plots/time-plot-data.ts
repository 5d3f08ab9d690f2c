/** A value per time; null where there is none. */
export type Values = readonly (number | null)[];

/** One line of a plot over time. */
export interface Line {
  readonly label: string;
  readonly values: Values;
  /** The values of the period before, at the same places; drawn as a faint line. */
  readonly before?: Values | undefined;
}

/** The data of a plot, without its size and colours. */
export interface TimePlotData {
  /** Epoch milliseconds, ascending. */
  readonly times: readonly number[];
  readonly zone: string;
  readonly lines: readonly Line[];
  /** For each time, whether its figures are incomplete; empty where all are complete. */
  readonly unfinished: readonly boolean[];
  /** Both ends of an interval around the first line. */
  readonly band?: { readonly low: Values; readonly high: Values } | undefined;
  /** A line at zero for differences, a floor at zero for counts. */
  readonly zero: "line" | "floor";
  /** Moments to mark with a numbered vertical line, in epoch milliseconds. */
  readonly marks?: readonly number[] | undefined;
  readonly formatTick: (value: number) => string;
}
