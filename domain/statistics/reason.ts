/** Why a figure is missing. The same words stand beside the `null` on the wire. */
export type Reason =
  | "TOO_FEW_USERS"
  | "ZERO_VARIANCE"
  | "ZERO_CONTROL_MEAN"
  | "CONTROL_NEAR_ZERO"
  | "NO_DATA"
  | "BROKEN_SPLIT";

/** Stands in the place of figures that the data do not allow: an outcome, never an error to throw. */
export interface Missing {
  readonly reason: Reason;
}

/** Whether a method returned a reason instead of its figures. */
export function isMissing(figures: object): figures is Missing {
  return "reason" in figures;
}
