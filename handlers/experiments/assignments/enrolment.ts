import { z } from "zod";
import { type Choice, choose } from "../../../domain/experiments/assignment.ts";
import { exclusionOf } from "../../../domain/experiments/exclusion.ts";
import { type Experiment, variantOf } from "../../../domain/experiments/experiment.ts";
import { showingOf } from "../../../domain/experiments/lifecycle.ts";
import type {
  Assignment,
  Attributes,
  ExperimentCandidate,
  KnownAssignment,
  WonAssignment,
} from "../../../domain/storage.ts";
import { Name, recordOf } from "../../../domain/text.ts";
import { type Instant, IsoTime, isoTime } from "../../../domain/time.ts";
import type { World } from "../../contract/endpoint.ts";
import { eventCovariates } from "./covariates.ts";

export const MAX_ATTRIBUTES = 50;

/** Facts about a user for segments and covariates, which are stored with a new assignment. */
export const AttributesInput = recordOf(z.union([Name, z.number(), z.boolean()])).refine(
  (attributes) => Object.keys(attributes).length <= MAX_ATTRIBUTES,
  `must be at most ${MAX_ATTRIBUTES}`,
);

const Reason = z.enum([
  "not_in_traffic",
  "not_running",
  "no_weight",
  "paused",
  "winner",
  "stopped",
  "complete",
  "excluded",
  "holdout",
]);
export type Reason = z.infer<typeof Reason>;

export const Assigned = z.strictObject({
  user_id: z.string(),
  test_id: z.int(),
  variant: z.string(),
  variant_id: z.int(),
  value: z.unknown(),
  assigned_at: IsoTime,
});

export const NotEnrolled = z.strictObject({
  user_id: z.string(),
  test_id: z.int(),
  variant: z
    .string()
    .nullable()
    .meta({ description: "What to show; null where the test has nothing to show." }),
  value: z.unknown(),
  reason: Reason,
});

/** The answer to a request for a user's variant. Where `kind` is "shown" nothing was stored. */
export type Enrolment =
  | {
      readonly kind: "known" | "new";
      readonly assignment: Assignment & Partial<Pick<KnownAssignment, "forced">>;
    }
  | { readonly kind: "shown"; readonly variant_id: number | null; readonly reason: Reason };

export type Decision =
  | Enrolment
  /** The variant is chosen and not stored yet. */
  | { readonly kind: "candidate"; readonly candidate: ExperimentCandidate };

/** The user who asks for a variant. */
export interface Asker {
  readonly user_id: string;
  readonly attributes?: Attributes | undefined;
}

const nothing = (reason: Reason): Enrolment => ({ kind: "shown", variant_id: null, reason });

/** The variant that the hash gives an unassigned user. */
function chosenFor(
  experiment: Experiment,
  userId: string,
): Choice | { readonly kind: "excluded" | "holdout" } {
  const exclusion = exclusionOf(experiment, userId);
  return exclusion === undefined ? choose(experiment, userId) : { kind: exclusion };
}

/**
 * A stopped experiment shows one variant to everybody. In all others a user keeps the variant that is stored. Others are
 * enrolled while the experiment runs, has room, and its traffic takes them in.
 */
export function decide(
  experiment: Experiment,
  { user_id, attributes }: Asker,
  known: KnownAssignment | undefined,
  now: Instant,
): Decision {
  const showing = showingOf(experiment, now);
  if (showing.kind === "shows")
    return { kind: "shown", variant_id: showing.variant_id, reason: showing.reason };
  if (known !== undefined) return { kind: "known", assignment: known };
  if (showing.kind === "keeps" || showing.kind === "none") return nothing(showing.reason);
  const choice = chosenFor(experiment, user_id);
  if (choice.kind !== "variant") return nothing(choice.kind);
  const { variant_id } = choice;
  if (showing.kind === "complete") return { kind: "shown", variant_id, reason: "complete" };
  const candidate = { test_id: experiment.id, user_id, variant_id, assigned_at: now, attributes };
  return { kind: "candidate", candidate };
}

/** The last planned user may have been assigned in the meantime. */
export const enrolmentOf = (won: WonAssignment): Enrolment =>
  won.enrolled
    ? { kind: won.created ? "new" : "known", assignment: won }
    : { kind: "shown", variant_id: won.variant_id, reason: "complete" };

export async function enrol(
  experiment: Experiment,
  asker: Asker,
  { storage, now }: Pick<World, "storage" | "now">,
): Promise<Enrolment> {
  const known = await storage.findAssignment(experiment.id, asker.user_id);
  const decision = decide(experiment, asker, known, now());
  if (decision.kind !== "candidate") return decision;
  const { test_id, ...candidate } = decision.candidate;
  const [covariates] = await eventCovariates([{ experiment, candidate }], storage);
  const [won] = await storage.assign(test_id, [{ ...candidate, covariates }]);
  return enrolmentOf(won);
}

/** The answer's body: what to show, and for a user of the experiment since when. */
export function enrolmentBody(
  experiment: Experiment,
  user_id: string,
  enrolment: Enrolment,
): z.infer<typeof Assigned> | z.infer<typeof NotEnrolled> {
  const { id: test_id } = experiment;
  if (enrolment.kind !== "shown") {
    const { variant_id, assigned_at } = enrolment.assignment;
    const { variant_name: variant, value } = variantOf(experiment, variant_id);
    return { user_id, test_id, variant, variant_id, value, assigned_at: isoTime(assigned_at) };
  }
  const { variant_id, reason } = enrolment;
  const shown = variant_id === null ? undefined : variantOf(experiment, variant_id);
  return { user_id, test_id, variant: shown?.variant_name ?? null, value: shown?.value ?? null, reason };
}
