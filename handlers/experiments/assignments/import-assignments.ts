import { z } from "zod";
import { futureFault, senderClock } from "../../../domain/clock.ts";
import { type Experiment, variantName } from "../../../domain/experiments/experiment.ts";
import { counts, isOpen } from "../../../domain/experiments/lifecycle.ts";
import { type Checked, Failure } from "../../../domain/failure.ts";
import type { Assignment, WonAssignment } from "../../../domain/storage.ts";
import { Name } from "../../../domain/text.ts";
import { type Instant, Timestamp } from "../../../domain/time.ts";
import { type Answer, batchOf, batchReply, takeIn } from "../../contract/batch.ts";
import { endpoint, TestPath } from "../../contract/endpoint.ts";
import { existingExperiment } from "../existing-experiment.ts";
import { eventCovariates } from "./covariates.ts";

const AssignmentInput = z
  .strictObject({ user_id: Name, variant: Name, assigned_at: Timestamp.nullish() })
  .meta({ id: "AssignmentInput" });
type AssignmentInput = z.infer<typeof AssignmentInput>;

const Imported = z.strictObject({
  success: z.literal(true),
  variant: z.string(),
  variant_id: z.int(),
  duplicate: z.literal(true).optional(),
});
const Reply = batchReply(Imported);

export const importAssignments = endpoint({
  name: "importAssignments",
  method: "POST",
  path: "/apiv1/ab-tests/{test_id}/assignments",
  access: "admin",
  summary: "Import assignments that were made elsewhere",
  params: TestPath,
  body: batchOf("assignments", AssignmentInput),
  lines: true,
  replies: { created: Reply, partial: Reply },
  failures: ["not_found", "conflict"],

  async handle({ params: { test_id }, body, minimal }, { storage, now, activity }) {
    const experiment = await existingExperiment(storage, test_id);
    const time = now();
    if (!counts(experiment, time)) {
      const state = isOpen(experiment.status) ? "complete" : experiment.status;
      throw new Failure("conflict", `This A/B test is ${state}: its result stays as it is.`);
    }
    const { shift } = senderClock(body.sent_at, time);
    const imported = async (candidates: readonly Assignment[]) => {
      const covariates = await eventCovariates(
        candidates.map((candidate) => ({ experiment, candidate })),
        storage,
      );
      const won = await storage.assign(
        test_id,
        candidates.map((candidate, place) => ({ ...candidate, covariates: covariates[place] })),
      );
      return won.map((assignment, index) => ({ ...assignment, wanted: candidates[index]?.variant_id }));
    };
    return takeIn(
      body,
      {
        item: AssignmentInput,
        check: (input) => candidateOf(experiment, input, time, shift),
        store: imported,
        answer: (won) => answerOf(experiment, won),
        refuse: (faults) => activity.noteRefusedItem("importAssignments", faults, time),
      },
      minimal,
    );
  },
});

function candidateOf(
  { variants }: Experiment,
  { user_id, variant, assigned_at }: AssignmentInput,
  now: Instant,
  shift: number,
): Checked<Assignment> {
  const at = assigned_at == null ? now : assigned_at - shift;
  const fault = futureFault(at, now);
  if (fault !== undefined) return { faults: [{ path: "assigned_at", message: fault }] };
  const found = variants.find(({ variant_name }) => variant_name === variant);
  if (found !== undefined) return { value: { user_id, variant_id: found.id, assigned_at: at } };
  const names = variants.map(({ variant_name }) => variant_name).join(", ");
  return { faults: [{ path: "variant", message: `must be one of this test's variants: ${names}` }] };
}

interface Claim extends WonAssignment {
  readonly wanted: number | undefined;
}

/** A user keeps the variant stored first: an import that claims another is refused, one that agrees is a duplicate. */
function answerOf(experiment: Experiment, claim: Claim): Answer<z.infer<typeof Imported>> {
  const variant = variantName(experiment, claim.variant_id);
  if (!claim.enrolled) {
    const message = `this test has its ${experiment.planned_users} planned users and takes no others`;
    return { faults: [{ path: "user_id", message }] };
  }
  if (claim.variant_id !== claim.wanted) {
    return { faults: [{ path: "variant", message: `this user has been assigned to "${variant}" already` }] };
  }
  const item = { success: true as const, variant, variant_id: claim.variant_id };
  return claim.created
    ? { duplicate: false, item }
    : { duplicate: true, item: { ...item, duplicate: true as const } };
}
