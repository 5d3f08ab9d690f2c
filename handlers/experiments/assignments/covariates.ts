import type { Experiment } from "../../../domain/experiments/experiment.ts";
import type { EventCovariate } from "../../../domain/experiments/metric-declaration.ts";
import { type CovariateValue, covariateQuestion } from "../../../domain/experiments/user-total.ts";
import { Failure } from "../../../domain/failure.ts";
import type { Fact } from "../../../domain/reports/user-facts.ts";
import type { Candidate, EventQuestions } from "../../../domain/storage.ts";

// A visitor's variant is worth more than a covariate: where their events cannot be read in time, it is 0 for them, which
// has nothing to do with the variant and so costs precision alone.
const PATIENCE_MS = 5_000;

interface Enrolling {
  readonly experiment: Experiment;
  readonly candidate: Candidate;
}

/** A covariate that candidates need, and in which of their metrics. */
interface Needed {
  readonly covariate: EventCovariate;
  readonly needs: { readonly place: number; readonly metric_name: string }[];
}

/** Experiments may share a covariate, which is then asked for once. */
function neededBy(enrolling: readonly Enrolling[]): readonly Needed[] {
  const needed = new Map<string, Needed>();
  for (const [place, { experiment }] of enrolling.entries()) {
    for (const { metric_name, covariate } of experiment.metrics) {
      if (covariate === undefined || "attribute" in covariate) continue;
      const { event_type, property, days } = covariate;
      const key = JSON.stringify([event_type, property, days]);
      const known = needed.get(key) ?? { covariate, needs: [] };
      needed.set(key, known);
      known.needs.push({ place, metric_name });
    }
  }
  return [...needed.values()];
}

/** The covariates of new users that are made of their events before the assignment, in the order of the candidates. */
export async function eventCovariates(
  enrolling: readonly Enrolling[],
  storage: Pick<EventQuestions, "userFacts">,
): Promise<readonly (readonly CovariateValue[])[]> {
  const found = enrolling.map((): CovariateValue[] => []);
  const needed = neededBy(enrolling);
  if (needed.length === 0) return found;
  const patience = AbortSignal.timeout(PATIENCE_MS);
  await Promise.all(
    needed.map(async ({ covariate, needs }) => {
      const users = needs.flatMap(({ place }) => enrolling[place]?.candidate ?? []);
      const facts = await factsInTime(storage, covariateQuestion(covariate, users), patience);
      for (const [index, { place, metric_name }] of needs.entries()) {
        const x = facts[index];
        if (typeof x === "number") found[place]?.push({ metric_name, x });
      }
    }),
  );
  return found;
}

/** None where the storage is too busy to answer. */
async function factsInTime(
  storage: Pick<EventQuestions, "userFacts">,
  question: ReturnType<typeof covariateQuestion>,
  patience: AbortSignal,
): Promise<readonly Fact[]> {
  const late = new Promise<readonly Fact[]>((resolve) => {
    patience.addEventListener("abort", () => resolve([]), { once: true });
  });
  const facts = storage.userFacts(question, { gone: patience }).catch((error: unknown) => {
    if (error instanceof Failure && error.code === "unavailable") return [];
    throw error;
  });
  return Promise.race([facts, late]);
}
