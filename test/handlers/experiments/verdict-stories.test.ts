import { expect, test } from "vitest";
import { seededRandom } from "../../../domain/statistics/seeded-random.ts";
import { assignVariant } from "../../../handlers/experiments/assignments/assign-variant.ts";
import { importAssignments } from "../../../handlers/experiments/assignments/import-assignments.ts";
import { getResults } from "../../../handlers/experiments/get-results.ts";
import { getTimeline } from "../../../handlers/experiments/get-timeline.ts";
import { trackMetrics } from "../../../handlers/experiments/metrics/track-metrics.ts";
import { updateExperiment } from "../../../handlers/experiments/update-experiment.ts";
import { call, faultPathsOf, openWorld, type TestWorld, withColours } from "../../world.ts";

// Experiments whose figures once led to a false verdict, from the first request to the last sentence.

const params = { test_id: "1" };
const BATCH = 2_000;

async function inBatches<T>(
  items: readonly T[],
  send: (batch: readonly T[]) => Promise<unknown>,
): Promise<void> {
  for (let from = 0; from < items.length; from += BATCH) await send(items.slice(from, from + BATCH));
}

interface Group {
  readonly variant: "red" | "blue";
  readonly name: string;
  readonly users: number;
}

const idsOf = ({ variant, name, users }: Group): string[] =>
  Array.from({ length: users }, (_, index) => `${variant}-${name}-${index}`);

const assign = (world: TestWorld, group: Group) =>
  inBatches(idsOf(group), (ids) =>
    call(importAssignments, world, {
      params,
      body: ids.map((user_id) => ({ user_id, variant: group.variant })),
    }),
  );

/** The first users of the group have a value, or one of these values in turn. */
const track = (
  world: TestWorld,
  group: Group,
  metric_name: string,
  count: number,
  amountOf: (index: number) => number = () => 1,
) =>
  inBatches(
    idsOf(group)
      .slice(0, count)
      .map((user_id, index) => ({ user_id, metric_name, value: amountOf(index) })),
    (body) => call(trackMetrics, world, { params, body }),
  );

const resultsOf = async (world: TestWorld, query: object = {}) =>
  (await call(getResults, world, { params, query })).body;

async function opened(changes: object): Promise<TestWorld> {
  const world = openWorld();
  await withColours(world, { changes });
  return world;
}

const signup = { metric_name: "signup", kind: "conversion" };
const group = (variant: Group["variant"], users: number, name = "day1"): Group => ({ variant, name, users });

test("values of one arm uploaded before those of the other leave no trace, whether or not anybody looks between", async () => {
  const [red, blue] = [group("red", 300), group("blue", 300)];
  const amount = (index: number) => 20 + (index % 7);
  async function upload(look: (world: TestWorld) => Promise<unknown>) {
    const world = await opened({ metrics: [{ metric_name: "revenue" }] });
    await assign(world, red);
    await assign(world, blue);
    await track(world, red, "revenue", 300, amount);
    await look(world);
    await track(world, blue, "revenue", 300, amount);
    return world;
  }
  let between: unknown;
  const looked = await upload(async (world) => {
    between = (await resultsOf(world)).verdict;
  });
  expect(between).toMatchObject({
    kind: "too_early",
    summary: "Too early to say: 0 users of “blue” have any revenue so far, and 50 are needed. Let it run.",
  });
  const unseen = await upload(async () => {});
  expect((await resultsOf(looked)).verdict.kind).toBe("no_difference_yet");
  expect(await resultsOf(looked)).toStrictEqual(await resultsOf(unseen));
});

test("a rate that falls while the weights change is no effect", async () => {
  const world = await opened({ metrics: [signup] });
  for (const variant of ["red", "blue"] as const) {
    await assign(world, group(variant, 1_000));
    await track(world, group(variant, 1_000), "signup", 200);
  }
  await call(updateExperiment, world, { params, body: { weights: { red: 0.1, blue: 0.9 } } });
  for (const [variant, users] of [
    ["red", 200],
    ["blue", 1_800],
  ] as const) {
    await assign(world, group(variant, users, "day2"));
    await track(world, group(variant, users, "day2"), "signup", users / 10);
  }
  const { verdict, results, sample_ratio } = await resultsOf(world);
  const { difference, p_value } = results[1]?.metrics[0]?.comparison ?? {};
  expect([verdict.kind, difference, p_value, sample_ratio.ok]).toEqual(["no_difference_yet", 0, 1, true]);
  const { days } = (await call(getTimeline, world, { params })).body;
  expect(days.at(-1)?.variants[1]?.metrics[0]).toMatchObject({ difference: 0, p_value: 1 });
});

test("a small arm in which nothing has happened yet is no loser", async () => {
  const world = await opened({ metrics: [{ metric_name: "clicks", kind: "count" }] });
  await call(updateExperiment, world, { params, body: { weights: { red: 0.9, blue: 0.1 } } });
  await assign(world, group("red", 900));
  await assign(world, group("blue", 100));
  await track(world, group("red", 900), "clicks", 18);
  const { verdict, results } = await resultsOf(world);
  expect(verdict.kind).toBe("too_early");
  expect(results[1]?.metrics[0]?.comparison).toMatchObject({
    difference: -0.02,
    p_value: null,
    interval: null,
    reasons: ["TOO_FEW_WITH_A_VALUE"],
  });
});

test("a variant that is better and breaks something is not to be shipped", async () => {
  const world = await opened({
    metrics: [
      { ...signup, role: "primary" },
      { metric_name: "crash", kind: "conversion", direction: "decrease", role: "guardrail" },
    ],
  });
  for (const [variant, signups, crashes] of [
    ["red", 200, 50],
    ["blue", 280, 350],
  ] as const) {
    await assign(world, group(variant, 2_000));
    await track(world, group(variant, 2_000), "signup", signups);
    await track(world, group(variant, 2_000), "crash", crashes);
  }
  const { kind, metric_name, variant_name, summary } = (await resultsOf(world)).verdict;
  expect([kind, metric_name, variant_name]).toEqual(["guardrail_harmed", "signup", "blue"]);
  expect(summary).toMatch(
    / but crash got worse: 17\.5 % of users against 2\.5 %, \+15 points .* Do not ship it as it is\.$/,
  );
});

test("an arm without a single conversion is compared, with a word of caution", async () => {
  const world = await opened({ metrics: [signup] });
  await assign(world, group("red", 2_000));
  await assign(world, group("blue", 2_000));
  await track(world, group("blue", 2_000), "signup", 80);
  const { verdict, results } = await resultsOf(world);
  expect(verdict).toMatchObject({ kind: "winner", variant_name: "blue" });
  expect(verdict.summary).toMatch(
    /Nobody in “red” has one: if that is a surprise, check that its values are being sent\.$/,
  );
  expect(results[1]?.metrics[0]?.comparison).toMatchObject({ lift: null, reasons: ["ZERO_CONTROL_MEAN"] });
});

test("an enormous value that is taken back leaves no trace, and results answer whatever is stored", async () => {
  const world = await opened({ metrics: [{ metric_name: "revenue" }] });
  await assign(world, group("red", 100));
  await assign(world, group("blue", 100));
  for (const variant of ["red", "blue"] as const) {
    await track(world, group(variant, 100), "revenue", 100, (index) => index % 5);
  }
  const before = await resultsOf(world);
  const tracked = { user_id: "red-day1-0", metric_name: "revenue" };
  for (const value of [1e308, 1e308]) {
    const refused = call(trackMetrics, world, { params, body: [{ ...tracked, value }] });
    expect(await faultPathsOf(refused)).toEqual(["invalid", "[0].value"]);
  }
  expect(await resultsOf(world)).toStrictEqual(before);
  for (const value of [1e12, -1e12]) await track(world, group("red", 1), "revenue", 1, () => value);
  const { results, verdict } = await resultsOf(world);
  expect(verdict).toStrictEqual(before.verdict);
  expect(results[0]?.metrics[0]?.standard_deviation).toBe(before.results[0]?.metrics[0]?.standard_deviation);
  expect(results[1]?.metrics[0]?.comparison).toStrictEqual(before.results[1]?.metrics[0]?.comparison);
});

test("a metric that nobody declared is described and decides nothing", async () => {
  const world = await opened({});
  for (const [variant, clicks] of [
    ["red", 300],
    ["blue", 500],
  ] as const) {
    await assign(world, group(variant, 1_000));
    await track(world, group(variant, 1_000), "clicks", clicks);
  }
  const { verdict, results } = await resultsOf(world);
  expect(verdict).toMatchObject({ kind: "undeclared", metric_name: "clicks", variant_name: "blue" });
  expect(verdict.summary).toMatch(
    /^“blue” has more clicks per user than “red”: 0\.5 against 0\.3, \+0\.2 .* declare it to get a verdict\.$/,
  );
  expect(results[1]?.metrics[0]).toMatchObject({
    role: "exploratory",
    direction: null,
    comparison: { judged: null },
  });
});

test("the calculator's planned number of users is read once, when the last of them is in", async () => {
  const world = await opened({ metrics: [signup], planned_users: 2_000 });
  await assign(world, group("red", 1_000));
  await assign(world, group("blue", 999));
  await track(world, group("red", 1_000), "signup", 100);
  await track(world, group("blue", 999), "signup", 130);
  const early = await resultsOf(world);
  expect([early.completed, early.verdict.kind]).toEqual([false, "no_difference_yet"]);
  expect(early.verdict.summary).toMatch(/^1,999 of 2,000 planned users: read it when they are complete\./);
  world.advance(1);
  await assign(world, group("blue", 1, "last"));
  const complete = await resultsOf(world);
  expect([complete.completed, complete.verdict.kind, complete.verdict.variant_name]).toEqual([
    true,
    "winner",
    "blue",
  ]);
  const { days } = (await call(getTimeline, world, { params })).body;
  const { p_value, interval } = complete.results[1]?.metrics[0]?.comparison ?? {};
  expect(days.at(-1)?.variants[1]?.metrics[0]).toMatchObject({ p_value, interval });
});

test("the last planned user who is assigned twice at once is one user, and completes the test once", async () => {
  const world = await opened({ metrics: [signup], planned_users: 100 });
  await assign(world, group("red", 50));
  await assign(world, group("blue", 49));
  const enrol = (user_id: string) => call(assignVariant, world, { params, body: { user_id } });
  const answers = await Promise.all([enrol("last"), enrol("last"), enrol("last")]);
  expect(new Set(answers.map(({ body }) => body.variant)).size).toBe(1);
  expect(answers.filter(({ outcome }) => outcome === "created")).toHaveLength(1);
  const { completed, results } = await resultsOf(world);
  expect([completed, results.reduce((sum, { users }) => sum + users, 0)]).toEqual([true, 100]);
  world.advance(1);
  expect(await enrol("late")).toMatchObject({ outcome: "ok", body: { reason: "complete" } });
  expect((await resultsOf(world)).results).toStrictEqual(results);
});

test("the order in which values arrive changes nothing, and neither does looking at every step", async () => {
  const random = seededRandom(20_261_125);
  const users = [group("red", 150), group("blue", 150)].flatMap(idsOf);
  const values = Array.from({ length: 900 }, () => ({
    user_id: users[Math.floor(random() * users.length)] ?? "",
    metric_name: ["signup", "revenue", "orders", "other"][Math.floor(random() * 4)] ?? "",
    value: Math.round((random() - 0.3) * 1e6) / 100,
  }));
  const metrics = [
    signup,
    { metric_name: "revenue", cap: 5_000 },
    { metric_name: "orders", kind: "count", role: "guardrail", margin: 0.1 },
    { metric_name: "per_order", kind: "ratio", denominator: "orders" },
  ];
  async function play(sent: typeof values, batch: number, look: (world: TestWorld) => Promise<unknown>) {
    const world = await opened({ metrics });
    await assign(world, group("red", 150));
    await assign(world, group("blue", 150));
    for (let from = 0; from < sent.length; from += batch) {
      await call(trackMetrics, world, { params, body: sent.slice(from, from + batch) });
      await look(world);
    }
    return JSON.stringify(await resultsOf(world));
  }
  const places = new Map(values.map((value) => [value, random()]));
  const shuffled = [...values].sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
  const inOrder = await play(values, 900, async () => {});
  expect(await play([...values].reverse(), 300, resultsOf)).toBe(inOrder);
  expect(await play(shuffled, 90, resultsOf)).toBe(inOrder);
});
