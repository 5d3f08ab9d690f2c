import { z } from "zod";
import { Failure, type Fault } from "../failure.ts";
import { Description, Name, recordOf } from "../text.ts";
import type { Instant } from "../time.ts";
import { type Experiment, ExperimentStatus, hasWeight, Share, Weight } from "./experiment.ts";

/** What may be changed of an experiment. What is not named stays as it is. */
export const ExperimentChange = z
  .strictObject({
    description: Description.nullable(),
    status: ExperimentStatus,
    traffic: Share,
    weights: recordOf(Weight).meta({ description: "By variant name; a variant not named keeps its own." }),
    winner: Name.nullable(),
    forced: recordOf(Name.nullable()).meta({
      description: "Testers by user id: the variant each is shown, or null to end that.",
    }),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, "must change something")
  .meta({ id: "ExperimentChange" });
export type ExperimentChange = z.infer<typeof ExperimentChange>;

// A stopped experiment does not run again: its result would no longer be that of one experiment.
const NEXT: Record<ExperimentStatus, readonly ExperimentStatus[]> = {
  draft: ["running", "archived"],
  running: ["stopped"],
  stopped: ["archived"],
  archived: ["stopped"],
};

/** Whether it still takes users and values. */
export const isOpen = (status: ExperimentStatus): boolean => status === "draft" || status === "running";

function conflict(path: string, message: string): Failure {
  return new Failure("conflict", `Nothing was changed: ${path} ${message}.`, { faults: [{ path, message }] });
}

function nextStatus(from: ExperimentStatus, to: ExperimentStatus = from): ExperimentStatus {
  if (to === from || NEXT[from].includes(to)) return to;
  // An experiment that never ran has nothing to be stopped or shown.
  throw conflict(
    "status",
    `cannot go from ${from} to ${to}; from ${from} it can go to ${NEXT[from].join(" or ")}`,
  );
}

function refuseUnknown(field: string, known: readonly string[], named: readonly string[]): void {
  const faults: Fault[] = named
    .filter((name) => !known.includes(name))
    .map((name) => ({
      path: `${field}.${name}`,
      message: `is no variant of this test, which has ${known.join(", ")}`,
    }));
  if (faults.length > 0)
    throw new Failure("invalid", "Unknown variants are named; nothing was changed.", { faults });
}

function changedWeights(
  { variants }: Experiment,
  weights: Record<string, number> = {},
): Experiment["variants"] {
  const names = variants.map(({ variant_name }) => variant_name);
  refuseUnknown("weights", names, Object.keys(weights));
  const changed = variants.map((variant) =>
    Object.hasOwn(weights, variant.variant_name)
      ? { ...variant, weight: weights[variant.variant_name] ?? variant.weight }
      : variant,
  );
  if (hasWeight(changed)) return changed;
  throw new Failure("invalid", "Nothing was changed: the weights cannot be divided by their sum.", {
    faults: [{ path: "weights", message: "must leave a sum that is above 0 and finite" }],
  });
}

function winnerOf({ variants, winner_variant_id }: Experiment, winner?: string | null): number | null {
  if (winner === undefined) return winner_variant_id;
  if (winner === null) return null;
  const found = variants.find(({ variant_name }) => variant_name === winner);
  if (found !== undefined) return found.id;
  const known = variants.map(({ variant_name }) => variant_name).join(", ");
  throw new Failure("invalid", "Nothing was changed: the winner is no variant of this test.", {
    faults: [{ path: "winner", message: `must be one of ${known}` }],
  });
}

/** The experiment after the change; throws why it may not be changed so. */
export function changeExperiment(experiment: Experiment, change: ExperimentChange, now: Instant): Experiment {
  const status = nextStatus(experiment.status, change.status);
  for (const field of ["weights", "traffic", "forced"] as const) {
    if (change[field] !== undefined && !isOpen(status)) {
      throw conflict(field, `cannot be changed while the test is ${status}`);
    }
  }
  if (change.winner != null && isOpen(status)) {
    throw conflict("winner", "can be named when the test is stopped, in the same request or later");
  }
  return {
    ...experiment,
    status,
    description: change.description === undefined ? experiment.description : change.description,
    traffic: change.traffic ?? experiment.traffic,
    variants: changedWeights(experiment, change.weights),
    winner_variant_id: winnerOf(experiment, change.winner),
    stopped_at: status === "stopped" ? (experiment.stopped_at ?? now) : experiment.stopped_at,
  };
}

/** The testers to be shown a variant, and those to be shown none any more, by the variants' ids. */
export function forcedVariants(experiment: Experiment, change: ExperimentChange): readonly Forced[] {
  const known = experiment.variants.map(({ variant_name }) => variant_name);
  const named = Object.entries(change.forced ?? {});
  return named.map(([user_id, variant]) => {
    const found = experiment.variants.find(({ variant_name }) => variant_name === variant);
    if (found !== undefined || variant === null) return { user_id, variant_id: found?.id ?? null };
    const message = `must be null or one of ${known.join(", ")}`;
    throw new Failure("invalid", "Nothing was changed: a forced variant is unknown.", {
      faults: [{ path: `forced.${user_id}`, message }],
    });
  });
}

export interface Forced {
  readonly user_id: string;
  readonly variant_id: number | null;
}
