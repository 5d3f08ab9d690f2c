import { z } from "zod";
import type { MeasuredExperiment } from "../../domain/experiments/cells.ts";
import type { Experiment } from "../../domain/experiments/experiment.ts";
import type { MetricDefinition } from "../../domain/experiments/metric-declaration.ts";
import { ArmTable, metricSumsOf, usersOf } from "../../domain/experiments/results/arms.ts";
import {
  type MeasuredMetric,
  measuredMetrics,
  mostUsed,
} from "../../domain/experiments/results/measured-metric.ts";
import {
  MAX_SAMPLE,
  type Observation,
  type Question,
  SelfCheck,
  selfCheck,
} from "../../domain/experiments/results/self-check.ts";
import { observationOf } from "../../domain/experiments/user-total.ts";
import type { MetricStore, UserObservation } from "../../domain/storage.ts";
import { Name } from "../../domain/text.ts";
import { endpoint, TestPath } from "../contract/endpoint.ts";
import { unanswerable } from "../contract/faults.ts";
import { measuredExperiment } from "./existing-experiment.ts";

const PAGE = 1_000;
// About as many coin tosses as take a few milliseconds: other requests are served between such turns.
const TOSSES_PER_TURN = 200_000;

const SelfCheckInput = z
  .strictObject({
    metric_name: Name.nullish().meta({ description: "By default the primary metric, or the most used one." }),
    seed: z.int32().nullish().meta({ description: "The same seed splits the same users in the same way." }),
  })
  .meta({ id: "SelfCheckInput" });

export const checkExperiment = endpoint({
  name: "checkExperiment",
  method: "POST",
  path: "/apiv1/ab-tests/{test_id}/self-check",
  access: "admin",
  summary: "Splits the test's own users at random 500 times, and counts the false verdicts",
  params: TestPath,
  body: SelfCheckInput,
  replies: { ok: SelfCheck },
  failures: ["not_found"],

  async handle({ params, body, gone }, { storage, newId }) {
    const measured = await measuredExperiment(storage, params.test_id);
    const seed = body.seed ?? hashOf(newId());
    const question = await questionOf(storage, measured, body.metric_name ?? undefined, seed);
    const rounds = selfCheck(question);
    const roundsPerTurn = Math.max(1, Math.floor(TOSSES_PER_TURN / question.sample.users));
    for (;;) {
      for (let round = 0; round < roundsPerTurn; round++) {
        const step = rounds.next();
        if (!step.done) continue;
        if (step.value !== undefined) return { outcome: "ok", body: step.value };
        const message = `has too few users or values for a verdict on ${question.metric.metric_name}, with or without a difference`;
        throw unanswerable("request", [{ path: "metric_name", message }]);
      }
      await nextTurn();
      gone().throwIfAborted();
    }
  },
});

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A seed from an id that is never the same twice. */
const hashOf = (id: string): number =>
  [...id].reduce((hash, character) => (Math.imul(hash, 31) + character.charCodeAt(0)) | 0, 0);

function metricOf(experiment: Experiment, table: ArmTable, name: string | undefined): MeasuredMetric {
  const metrics = measuredMetrics(experiment, table.arms);
  const found =
    name === undefined
      ? (metrics.find(({ role }) => role === "primary") ?? mostUsed(metrics, table.arms))
      : metrics.find(({ metric_name }) => metric_name === name);
  if (found !== undefined) return found;
  const message =
    name === undefined
      ? "cannot be chosen: no metric has been declared or tracked in this test yet"
      : "is neither declared nor tracked in this test";
  throw unanswerable("request", [{ path: "metric_name", message }]);
}

/** The experiment's users, or as large a part of them as is split. */
async function questionOf(
  storage: MetricStore,
  { experiment, cells }: MeasuredExperiment,
  name: string | undefined,
  seed: number,
): Promise<Question> {
  const table = new ArmTable(experiment.variants, cells);
  const metric = metricOf(experiment, table, name);
  const all = table.arms.reduce((sum, arm) => sum + usersOf(arm), 0);
  const having = table.arms.reduce(
    (sum, arm) => sum + (metricSumsOf(arm, metric.metric_name)?.users_with_value ?? 0),
    0,
  );
  const share = Math.min(1, MAX_SAMPLE / Math.max(1, all));
  const read = await observationsOf(storage, experiment.id, metric.metric_name, Math.floor(having * share));
  const definition = (wanted: string | undefined): MetricDefinition | undefined =>
    experiment.metrics.find(({ metric_name }) => metric_name === wanted);
  const denominator = definition(definition(metric.metric_name)?.denominator);
  const withValue = read.map(
    ({ own, denominator: values }): Observation => ({
      y: observationOf(metric, own),
      d:
        denominator === undefined
          ? 0
          : observationOf({ kind: denominator.kind, cap: denominator.cap ?? null }, values),
    }),
  );
  const users = Math.min(all, MAX_SAMPLE);
  return { test_id: experiment.id, metric, sample: { users, withValue }, capped: all > MAX_SAMPLE, seed };
}

async function observationsOf(
  storage: MetricStore,
  testId: number,
  metricName: string,
  wanted: number,
): Promise<UserObservation[]> {
  const found: UserObservation[] = [];
  while (found.length < wanted) {
    const after = found.at(-1)?.user_id ?? null;
    const limit = Math.min(PAGE, wanted - found.length);
    const page = await storage.userObservations(testId, metricName, { after, limit });
    found.push(...page);
    if (page.length < limit) break;
  }
  return found;
}
