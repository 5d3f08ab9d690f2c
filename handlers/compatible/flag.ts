import { type Experiment, type Variant, variantOf } from "../../domain/experiments/experiment.ts";
import type { Decision, Reason } from "../experiments/assignments/enrolment.ts";

// Feature flags, as other products call them: each experiment is a flag with its name, and a variant's value is the flag's.

/** The variant that a user is shown in an experiment, and the reason. */
export interface Flag {
  readonly experiment: Experiment;
  /** Undefined where there is nothing to show, so that the caller's own code decides. */
  readonly variant: Variant | undefined;
  readonly why: "assigned" | "forced" | Reason;
}

/** The flag of an enrolment, or of one that was only decided and not stored. */
export function flagOf(experiment: Experiment, decision: Decision): Flag {
  if (decision.kind === "shown") {
    const { variant_id, reason } = decision;
    const variant = variant_id === null ? undefined : variantOf(experiment, variant_id);
    return { experiment, variant, why: reason };
  }
  if (decision.kind === "candidate") {
    return { experiment, variant: variantOf(experiment, decision.candidate.variant_id), why: "assigned" };
  }
  const { variant_id, forced } = decision.assignment;
  return { experiment, variant: variantOf(experiment, variant_id), why: forced ? "forced" : "assigned" };
}
