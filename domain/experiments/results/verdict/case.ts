import type { Arm } from "../arms.ts";
import type { Comparison } from "../comparison.ts";
import type { MeasuredMetric } from "../measured-metric.ts";
import { quote } from "./wording.ts";

/** How far the experiment has come. */
export interface Progress {
  /** Nothing that is still to come can change the results. */
  readonly isOver: boolean;
  /** Nobody is enrolled at the moment. */
  readonly isPaused: boolean;
  readonly users: number;
  /** Null where no number of users is planned, or the planned look has been taken. */
  readonly plannedUsers: number | null;
}

/** Subject of the verdict: one metric, and every comparison that bears on it. */
export interface Case {
  readonly control: Arm;
  readonly metric: MeasuredMetric;
  readonly comparisons: readonly Comparison[];
  readonly progress: Progress;
}

/** One variant with all that decides on it. */
export interface Candidate {
  readonly variant_name: string;
  readonly primary: Comparison;
  /** Guardrails that are worse, margin or not. */
  readonly harmed: readonly Comparison[];
  /** Guardrails with a margin that is not kept for certain. */
  readonly unkept: readonly Comparison[];
  /** Guardrails without a margin, not worse for certain. */
  readonly unbounded: readonly Comparison[];
}

/** Users that an arm has and should have. */
export interface SplitArm {
  readonly variant_name: string;
  readonly users: number;
  readonly expected: number;
}

/** Every variant but the control, with its guardrails sorted by what they say. */
export function candidatesOf({ metric, comparisons }: Case): readonly Candidate[] {
  return comparisons
    .filter((one) => one.metric === metric)
    .map((primary) => {
      const guardrails = comparisons.filter(
        (one) => one.variant === primary.variant && one.metric.role === "guardrail",
      );
      const judgedAs = (...kinds: readonly Comparison["reply"]["judged"][]) =>
        guardrails.filter(({ reply }) => kinds.includes(reply.judged));
      return {
        variant_name: primary.variant.variant.variant_name,
        primary,
        harmed: judgedAs("worse"),
        unkept: judgedAs("open").filter((one) => one.metric.margin !== null),
        unbounded: judgedAs("open").filter((one) => one.metric.margin === null),
      };
    });
}

export const controlName = ({ control }: Case): string => quote(control.variant.variant_name);
export const variantName = ({ variant }: Comparison): string => quote(variant.variant.variant_name);
