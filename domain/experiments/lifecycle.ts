import { z } from "zod";
import { Failure, type Fault } from "../failure.ts";
import { Description, Name, recordOf } from "../text.ts";
import { DAY, type Instant, isoTime, Timestamp } from "../time.ts";
import { controlOf, type Experiment, ExperimentStatus, hasWeight, Share, Weight } from "./experiment.ts";
import {
  MAX_METRICS,
  MetricDeclaration,
  metricDefinitions,
  metricsComplaints,
} from "./metric-declaration.ts";

/** A change of an experiment. Fields that are left out stay as they are. */
export const ExperimentChange = z
  .strictObject({
    description: Description.nullable(),
    status: ExperimentStatus,
    traffic: Share,
    weights: recordOf(Weight).meta({ description: "By variant name; a variant not named keeps its own." }),
    winner: Name.nullable(),
    decision: z.strictObject({ who: Name, why: Description }).meta({
      description: "Who decided, and why; kept with the time of the request.",
    }),
    hypothesis: Description.nullable(),
    notes: Description.nullable(),
    stop_at: Timestamp.nullable(),
    metrics: z.array(MetricDeclaration).min(1).max(MAX_METRICS).meta({
      description: "Metrics to add. A metric of events, and one tracked before, counts what is stored too.",
    }),
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
  running: ["paused", "stopped"],
  paused: ["running", "stopped"],
  stopped: ["archived"],
  archived: ["stopped"],
};

/** Whether the experiment is neither stopped nor archived. */
export const isOpen = (status: ExperimentStatus): boolean =>
  status === "draft" || status === "running" || status === "paused";

/** When an experiment ends, or has ended, as far as that is known: values that arrive later do not count. */
export function endOf({ stopped_at, stop_at, ...planned }: Experiment): Instant | null {
  const { planned_users_reached_at: reached, window_days } = planned;
  const ends = [stopped_at, stop_at, reached === null ? null : reached + window_days * DAY];
  const known = ends.filter((end) => end !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** Whether values that arrive now count. */
export const counts = (experiment: Experiment, now: Instant): boolean =>
  isOpen(experiment.status) && now <= (endOf(experiment) ?? now);

/** How an experiment meets its users at a moment. */
export type Showing =
  /** Enrolled users keep their variant, others are enrolled. */
  | { readonly kind: "enrols" }
  /** All users are shown this variant, and none are enrolled. */
  | { readonly kind: "shows"; readonly variant_id: number; readonly reason: "winner" | "stopped" }
  /** Others are shown what they would have been enrolled in, but are not. */
  | { readonly kind: "complete" }
  | { readonly kind: "keeps"; readonly reason: "paused" }
  | { readonly kind: "none"; readonly reason: "not_running" };

/** How an experiment meets its users now: what they see never changes by itself. */
export function showingOf(experiment: Experiment, now: Instant): Showing {
  const { status, winner_variant_id, planned_users_reached_at, stop_at } = experiment;
  if (status === "stopped") {
    if (winner_variant_id !== null) return { kind: "shows", variant_id: winner_variant_id, reason: "winner" };
    const control = controlOf(experiment);
    if (control !== undefined) return { kind: "shows", variant_id: control.id, reason: "stopped" };
  }
  if (status === "paused") return { kind: "keeps", reason: "paused" };
  if (status !== "running") return { kind: "none", reason: "not_running" };
  const isOver = planned_users_reached_at !== null || (stop_at !== null && now > stop_at);
  return { kind: isOver ? "complete" : "enrols" };
}

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

/** The experiment's metrics with those to be added; where none was primary, the first without a role is. */
function addedMetrics(
  { metrics, planned_users, window_days }: Experiment,
  added: readonly MetricDeclaration[],
  now: Instant,
): Experiment["metrics"] {
  if (added.length === 0) return metrics;
  const all = [...metrics, ...added];
  const plan = planned_users === null ? {} : { planned_users, window_days };
  const faults = metricsComplaints({ metrics: all, ...plan }).map(({ path, message }) => ({
    path: addedPath(path, metrics.length),
    message,
  }));
  if (all.length > MAX_METRICS)
    faults.push({ path: "metrics", message: `must be at most ${MAX_METRICS} in all` });
  const declared_at = isoTime(now);
  if (faults.length === 0)
    return metricDefinitions([...metrics, ...added.map((metric) => ({ ...metric, declared_at }))]);
  throw new Failure("invalid", "Nothing was changed: the metrics cannot be added.", { faults });
}

/** The path of a fault in the list that was sent, from its path in the list of all metrics. */
function addedPath([list, index, field]: readonly (string | number)[], known: number): string {
  if (typeof index !== "number") return String(list);
  return `${list}[${Math.max(0, index - known)}].${field}`;
}

/** Refuses an end in the past, which would take back what has been counted since. */
export function refusePastEnd(stop_at: Instant | null | undefined, now: Instant): void {
  if (stop_at == null || stop_at > now) return;
  throw new Failure("invalid", "Nothing was stored: the test would have ended already.", {
    faults: [
      { path: "stop_at", message: 'must be later than now; to end a test now, set "status" to "stopped"' },
    ],
  });
}

const WHILE_OPEN = ["weights", "traffic", "forced", "stop_at", "metrics"] as const;

function refuseOutOfSeason(change: ExperimentChange, status: ExperimentStatus): void {
  for (const field of WHILE_OPEN) {
    if (change[field] !== undefined && !isOpen(status))
      throw conflict(field, `cannot be changed while the test is ${status}`);
  }
  if (!isOpen(status)) return;
  if (change.winner != null)
    throw conflict("winner", "can be named when the test is stopped, in the same request or later");
  if (change.decision !== undefined)
    throw conflict("decision", "can be given when the test is stopped, in the same request or later");
}

/** The new value if there is one, else the stored one. */
const or = <T>(asked: T | undefined, stored: T): T => (asked === undefined ? stored : asked);

/** The experiment after the change; throws why it may not be changed so. */
export function changeExperiment(experiment: Experiment, change: ExperimentChange, now: Instant): Experiment {
  refusePastEnd(change.stop_at, now);
  const status = nextStatus(experiment.status, change.status);
  refuseOutOfSeason(change, status);
  return {
    ...experiment,
    status,
    description: or(change.description, experiment.description),
    hypothesis: or(change.hypothesis, experiment.hypothesis),
    notes: or(change.notes, experiment.notes),
    stop_at: or(change.stop_at, experiment.stop_at),
    decision: change.decision === undefined ? experiment.decision : { ...change.decision, when: now },
    traffic: change.traffic ?? experiment.traffic,
    variants: changedWeights(experiment, change.weights),
    metrics: addedMetrics(experiment, change.metrics ?? [], now),
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
