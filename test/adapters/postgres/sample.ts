import { expect } from "vitest";
import { messageKey } from "../../../domain/events/message-id.ts";
import { type Experiment, ExperimentInput, newExperiment } from "../../../domain/experiments/experiment.ts";
import { resultsOf } from "../../../domain/experiments/results/results.ts";
import { timelineOf } from "../../../domain/experiments/results/timeline.ts";
import type { Storage } from "../../../domain/storage.ts";

const AT = Date.parse("2026-11-22T10:00:00.000Z");
const DAY = 86_400_000;
const USERS = 600;
const VALUES = 5_000;
const ROUNDING = 1e-12;

/** Numerical Recipes' linear congruential generator: the same numbers on every run and every machine. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const input = ExperimentInput.parse({
  test_name: "colours",
  variants: [{ variant_name: "red" }, { variant_name: "blue" }, { variant_name: "green", weight: 2 }],
  metrics: [
    { metric_name: "revenue", primary: true },
    { metric_name: "buy", kind: "conversion" },
    { metric_name: "clicks", kind: "count", event_type: "click", where: { page: "/home" } },
    { metric_name: "spent", event_type: "click", property: "spent" },
  ],
});

async function assignAll(storage: Storage, testId: number, variants: readonly number[]): Promise<void> {
  const candidates = Array.from({ length: USERS }, (_, n) => ({
    user_id: `user-${n}`,
    variant_id: variants[n % variants.length] ?? 0,
    assigned_at: AT + (n % 5) * DAY,
  }));
  await storage.assign(testId, candidates);
}

async function trackAll(storage: Storage, testId: number): Promise<void> {
  const next = numbers(1);
  const values = Array.from({ length: VALUES }, (_, n) => ({
    user_id: `user-${Math.floor(next() * USERS)}`,
    metric_name: next() < 0.8 ? "revenue" : "buy",
    // A large mean with small deviations is where sums of squares lose their digits.
    value: 1e6 + Math.exp(3 * next()) + (n % 7) / 10,
    created_at: AT,
    occurred_at: AT + Math.floor(next() * 8 * DAY),
    message_key: next() < 0.2 ? messageKey(`m${Math.floor(next() * 500)}`) : null,
  }));
  for (let from = 0; from < VALUES; from += 250)
    await storage.appendMetrics(testId, values.slice(from, from + 250));
}

async function sendAll(storage: Storage): Promise<void> {
  const next = numbers(2);
  const events = Array.from({ length: VALUES }, () => ({
    event_type: next() < 0.7 ? "click" : "view",
    user_id: `user-${Math.floor(next() * USERS)}`,
    session_id: null,
    properties: JSON.stringify({
      page: next() < 0.5 ? "/home" : "/shop",
      spent: next() < 0.3 ? 100 * next() : null,
    }),
    created_at: AT,
    occurred_at: AT + Math.floor(next() * 8 * DAY),
    message_key: next() < 0.2 ? messageKey(`e${Math.floor(next() * 500)}`) : null,
  }));
  for (let from = 0; from < VALUES; from += 250) await storage.appendEvents(events.slice(from, from + 250));
}

/** An experiment with users, values and events, the same in every storage. */
export async function fillWithSample(storage: Storage): Promise<Experiment> {
  const experiment = await storage.createExperiment(newExperiment(input, "salt", AT));
  if (experiment === undefined) throw new Error("the name was taken");
  await assignAll(
    storage,
    experiment.id,
    experiment.variants.map(({ id }) => id),
  );
  await trackAll(storage, experiment.id);
  await sendAll(storage);
  return experiment;
}

/** All that is shown of it. */
export async function shownOf(storage: Storage, experiment: Experiment) {
  const [cells, days] = [await storage.experimentCells(experiment.id), await storage.dayCells(experiment.id)];
  if (cells === undefined) throw new Error("the experiment is gone");
  const now = AT + 9 * DAY;
  return { results: resultsOf(experiment, cells, now), timeline: timelineOf(experiment, days, cells, false) };
}

/** Alike in everything but the last digits of numbers. */
export function expectAlike(a: unknown, b: unknown, path = "all"): void {
  if (typeof a === "number" && typeof b === "number") {
    const allowed = ROUNDING * Math.max(1, Math.abs(a), Math.abs(b));
    expect(Math.abs(a - b), `${path}: ${a} and ${b}`).toBeLessThanOrEqual(allowed);
  } else if (typeof a === "object" && a !== null && typeof b === "object" && b !== null) {
    expect(Object.keys(a), path).toEqual(Object.keys(b));
    for (const [key, value] of Object.entries(a))
      expectAlike(value, (b as Record<string, unknown>)[key], `${path}.${key}`);
  } else {
    expect(a, path).toBe(b);
  }
}
