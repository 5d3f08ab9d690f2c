import { describe, expect, test } from "vitest";
import type { Results } from "../../../domain/experiments/results/results.ts";
import { DAY } from "../../../domain/time.ts";
import { disagreements, goldenCase, wrongFigures } from "../../domain/statistics/golden.ts";
import { openEdge, type TestEdge } from "../../world.ts";

// The golden cases that are counts of users, played user by user through the real edge.

interface Arm {
  readonly users: number;
  readonly converted?: number;
}

interface Compared {
  readonly id: string;
  readonly input: { readonly periods: readonly { readonly control: Arm; readonly variant: Arm }[] };
  readonly expected: {
    readonly judged: { readonly better: boolean; readonly worse: boolean };
    readonly [figure: string]: unknown;
  };
}

interface Split {
  readonly id: string;
  readonly input: { readonly periods: readonly { readonly users: readonly number[] }[] };
  readonly expected: { readonly log_bayes_factor: number; readonly p_value: number };
}

const PATIENCE_MS = 120_000;
const BATCH = 2_000;
const TEST = "/apiv1/ab-tests/1";

async function post({ send }: TestEdge, path: string, body: object, method = "POST"): Promise<void> {
  const { status, body: answer } = await send({ method, path, body, headers: { prefer: "return=minimal" } });
  if (status !== 201 && status !== 200) throw new Error(`${path} answered ${JSON.stringify(answer)}`);
}

async function postAll(edge: TestEdge, path: string, items: readonly object[]): Promise<void> {
  for (let from = 0; from < items.length; from += BATCH) {
    await post(edge, path, items.slice(from, from + BATCH));
  }
}

async function create(variants: number, changes: object): Promise<TestEdge> {
  const edge = openEdge();
  const names = ["control", "variant", "third", "fourth"].slice(0, variants);
  const body = { test_name: "golden", variants: names.map((variant_name) => ({ variant_name })), ...changes };
  await post(edge, "/apiv1/ab-tests", body);
  return edge;
}

const idsOf = (name: string, users: number): string[] =>
  Array.from({ length: users }, (_, index) => `${name} ${index}`);

const assign = (edge: TestEdge, variant: string, ids: readonly string[]) =>
  postAll(
    edge,
    `${TEST}/assignments`,
    ids.map((user_id) => ({ user_id, variant })),
  );

const track = (edge: TestEdge, metric_name: string, ids: readonly string[], values?: readonly number[]) =>
  postAll(
    edge,
    `${TEST}/track/batch`,
    ids.map((user_id, index) => ({ user_id, metric_name, value: values?.[index] ?? 1 })),
  );

/** Assigns an arm's users in one weight period; the first of them have a value of each metric. */
async function play(edge: TestEdge, variant: string, arm: Arm, period: number, metrics: readonly string[]) {
  const ids = idsOf(`${variant} ${period}`, arm.users);
  await assign(edge, variant, ids);
  for (const metric of metrics) await track(edge, metric, ids.slice(0, arm.converted ?? 0));
}

async function resultsOf({ send }: TestEdge): Promise<Results> {
  const { status, body } = await send({ path: `${TEST}/results` });
  expect(status).toBe(200);
  return body as Results;
}

const comparisonOf = ({ results }: Results, metric_name: string) =>
  results[1]?.metrics.find((one) => one.metric_name === metric_name)?.comparison;

/** The first variant's comparison has the figures of the case, and is judged alike. */
function expectFigures({ expected }: Compared, results: Results, metric_name = "signup"): void {
  const comparison = comparisonOf(results, metric_name);
  expect(wrongFigures(expected, comparison)).toEqual([]);
  const { better, worse } = expected.judged;
  expect([comparison?.judged === "better", comparison?.judged === "worse"]).toEqual([better, worse]);
}

const signup = { metric_name: "signup", kind: "conversion", role: "primary" };
function expectSplit({ sample_ratio: { p_value, bayes_factor } }: Results, id: string): void {
  const { expected } = goldenCase<Split>(id);
  const wanted = { p_value: expected.p_value, bayes_factor: Math.exp(expected.log_bayes_factor) };
  expect(disagreements(wanted, { p_value, bayes_factor })).toEqual([]);
}

describe("played user by user, results have every figure of", () => {
  test.each([
    ["conv-1", "split-1", "no_difference_yet"],
    ["conv-2", null, "winner"],
  ] as const)(
    "%s",
    async (id, splitId, kind) => {
      const one = goldenCase<Compared>(id);
      const edge = await create(2, { metrics: [signup] });
      for (const { control, variant } of one.input.periods) {
        await play(edge, "control", control, 0, ["signup"]);
        await play(edge, "variant", variant, 0, ["signup"]);
      }
      const results = await resultsOf(edge);
      expectFigures(one, results);
      expect(results.verdict.kind).toBe(kind);
      if (splitId !== null) expectSplit(results, splitId);
    },
    PATIENCE_MS,
  );

  test(
    "conv-90-10, and of the same users as a count no more than the difference",
    async () => {
      const one = goldenCase<Compared>("conv-90-10");
      const clicks = { metric_name: "clicks", kind: "count", role: "exploratory" };
      const edge = await create(2, { metrics: [signup, clicks] });
      await post(edge, TEST, { weights: { control: 9, variant: 1 } }, "PATCH");
      for (const { control, variant } of one.input.periods) {
        await play(edge, "control", control, 0, ["signup", "clicks"]);
        await play(edge, "variant", variant, 0, ["signup", "clicks"]);
      }
      const results = await resultsOf(edge);
      expectFigures(one, results);
      const count = goldenCase<Compared>("count-90-10").expected;
      const { difference, standard_error } = count;
      const comparison = comparisonOf(results, "clicks");
      expect(disagreements({ difference, standard_error }, comparison)).toEqual([]);
      expect(comparison).toMatchObject({ p_value: null, reasons: ["TOO_FEW_WITH_A_VALUE"] });
    },
    PATIENCE_MS,
  );

  test(
    "strata-1 and split-2: weights change while the rate falls",
    async () => {
      const one = goldenCase<Compared>("strata-1");
      const edge = await create(2, { metrics: [signup] });
      for (const [period, { control, variant }] of one.input.periods.entries()) {
        if (period === 1) await post(edge, TEST, { weights: { control: 0.1, variant: 0.9 } }, "PATCH");
        await play(edge, "control", control, period, ["signup"]);
        await play(edge, "variant", variant, period, ["signup"]);
      }
      const results = await resultsOf(edge);
      expectFigures(one, results);
      expectSplit(results, "split-2");
    },
    PATIENCE_MS,
  );

  test(
    "several-1: one of three variants",
    async () => {
      const one = goldenCase<Compared>("several-1");
      const edge = await create(4, { metrics: [signup] });
      const [period] = one.input.periods;
      if (period === undefined) throw new Error("The case has no period.");
      await play(edge, "control", period.control, 0, ["signup"]);
      for (const name of ["variant", "third", "fourth"])
        await play(edge, name, name === "variant" ? period.variant : period.control, 0, ["signup"]);
      expectFigures(one, await resultsOf(edge));
    },
    PATIENCE_MS,
  );

  test(
    "end-0 until the window of the last planned user is over, and end-1 afterwards",
    async () => {
      const [before, after] = [goldenCase<Compared>("end-0"), goldenCase<Compared>("end-1")];
      const [period] = before.input.periods;
      if (period === undefined) throw new Error("The case has no period.");
      const planned_users = period.control.users + period.variant.users;
      const edge = await create(2, { metrics: [signup], planned_users, window_days: 1 });
      await play(edge, "control", period.control, 0, ["signup"]);
      await play(edge, "variant", period.variant, 0, ["signup"]);
      const early = await resultsOf(edge);
      expect([early.completed, early.verdict.kind]).toEqual([false, "no_difference_yet"]);
      expectFigures(before, early);
      edge.world.advance(DAY);
      const late = await resultsOf(edge);
      expect([late.completed, late.verdict.kind]).toEqual([true, "winner"]);
      expectFigures(after, late);
    },
    PATIENCE_MS,
  );

  test(
    "guard-1: one of two guardrails, whose margin is not kept",
    async () => {
      const one = goldenCase<Compared>("guard-1");
      const crash = { metric_name: "crash", kind: "conversion", direction: "decrease", role: "guardrail" };
      const metrics = [signup, { ...crash, margin: 0.01 }, { ...crash, metric_name: "slow" }];
      const edge = await create(2, { metrics });
      for (const { control, variant } of one.input.periods) {
        await play(edge, "control", control, 0, ["crash"]);
        await play(edge, "variant", variant, 0, ["crash"]);
      }
      const results = await resultsOf(edge);
      expectFigures(one, results, "crash");
      expect(results.results[1]?.metrics[1]?.comparison).toMatchObject({ judged: "open", level: 0.025 });
    },
    PATIENCE_MS,
  );

  test(
    "mean-1: totals below 0",
    async () => {
      const one = goldenCase<Compared>("mean-1");
      const total = { metric_name: "total", kind: "mean", direction: "decrease", role: "primary" };
      const edge = await create(2, { metrics: [total] });
      // Values that have the sums and the sums of squares of the case.
      const times = (count: number, value: number) => Array<number>(count).fill(value);
      const values = {
        control: [...times(86, 6), ...times(86, -14), ...times(628, -4)],
        variant: [...times(700, -4), ...times(18, 20), ...times(18, -20), ...times(2, 10), ...times(2, -10)],
      };
      for (const [variant, users] of [
        ["control", 800],
        ["variant", 820],
      ] as const) {
        const ids = idsOf(variant, users);
        await assign(edge, variant, ids);
        await track(edge, "total", ids.slice(0, values[variant].length), values[variant]);
      }
      expectFigures(one, await resultsOf(edge), "total");
    },
    PATIENCE_MS,
  );

  test(
    "split-3: a leak",
    async () => {
      const edge = await create(3, { metrics: [signup] });
      const { users = [] } = goldenCase<Split>("split-3").input.periods[0] ?? {};
      for (const [index, variant] of ["control", "variant", "third"].entries())
        await assign(edge, variant, idsOf(variant, users[index] ?? 0));
      const results = await resultsOf(edge);
      expectSplit(results, "split-3");
      expect([results.sample_ratio.ok, results.verdict.kind]).toEqual([false, "broken_split"]);
    },
    PATIENCE_MS,
  );
});
