import { expect, test } from "vitest";
import { importAssignments } from "../../../handlers/experiments/assignments/import-assignments.ts";
import { getResults } from "../../../handlers/experiments/get-results.ts";
import { trackMetrics } from "../../../handlers/experiments/metrics/track-metrics.ts";
import { call, faultPathsOf, MINUTE, NOW, openWorld, type TestWorld, withColours } from "../../world.ts";

const params = { test_id: "1" };

interface Tracked {
  readonly user_id: string;
  readonly metric_name: string;
  readonly value: number;
  readonly timestamp: number;
}

interface Enrolled {
  readonly user_id: string;
  readonly variant: string;
  readonly assigned_at: number;
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** Mean and standard deviation of a list, by the definition: two passes, n − 1. */
function figuresOf(values: readonly number[]) {
  const mean = sumOf(values) / values.length;
  const squares = sumOf(values.map((value) => (value - mean) ** 2));
  return { mean, standard_deviation: Math.sqrt(squares / (values.length - 1)) };
}

const NONE_DROPPED = { before_assignment: 0, after_stop: 0, after_window: 0, wrong_type: 0, out_of_range: 0 };
const PLAIN = { margin: null, cap: null, unit: null };

/** One metric in one variant, as the contract defines it, computed from the plain list of what was sent. */
function expectedMetric(
  definition: { metric_name: string; kind: string; direction: string | null; role: string },
  users: readonly Enrolled[],
  tracked: readonly Tracked[],
) {
  const own = (user_id: string) =>
    tracked.filter((one) => one.user_id === user_id && one.metric_name === definition.metric_name);
  const perUser = users.map(({ user_id, assigned_at }) =>
    own(user_id)
      .filter((one) => one.timestamp >= assigned_at)
      .map((one) => one.value),
  );
  const converted = perUser.filter((values) => values.length > 0).length;
  const count = perUser.flat().length;
  const observed = {
    mean: perUser.map(sumOf),
    count: perUser.map((values) => values.length),
    conversion: perUser.map((values) => Math.min(1, values.length)),
  }[definition.kind as "mean"];
  const share = converted / users.length;
  return {
    ...definition,
    ...PLAIN,
    users: users.length,
    users_with_value: converted,
    converted_users: converted,
    count,
    sum: sumOf(observed),
    ...figuresOf(observed),
    ...(definition.kind === "conversion" ? { standard_deviation: Math.sqrt(share * (1 - share)) } : {}),
    dropped: {
      ...NONE_DROPPED,
      before_assignment: users.flatMap(({ user_id }) => own(user_id)).length - count,
    },
  };
}

type Metric = ReturnType<typeof expectedMetric>;

/** Σ(y − mean)², of a conversion by a rate that is neither 0 nor 1. */
function spreadOf({ kind, users, converted_users, standard_deviation }: Metric): number {
  const rate = (converted_users + 0.5) / (users + 1);
  return kind === "conversion" ? users * rate * (1 - rate) : standard_deviation ** 2 * (users - 1);
}

/** The figures of a comparison that need no distribution; test/domain is about all others. */
function expectedComparison(control: Metric, variant: Metric) {
  const users = control.users + variant.users;
  const h = (control.users * variant.users) / users;
  const [a, b] = [spreadOf(control), spreadOf(variant)];
  const pooled = (a + b) / (users - 1) / h;
  const unpooled = a / (control.users - 1) / control.users + b / (variant.users - 1) / variant.users;
  return {
    difference: variant.mean - control.mean,
    standard_error: Math.sqrt(Math.max(pooled, unpooled)),
  };
}

/** Figures to eleven digits: sums in another order differ in the last ones. */
const rounded = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_key, one) =>
    typeof one === "number" ? Number(one.toPrecision(11)) : one,
  );

const definitions = [
  { metric_name: "purchase", kind: "conversion", direction: "increase", role: "primary" },
  { metric_name: "clicks", kind: "count", direction: "decrease", role: "guardrail" },
  { metric_name: "refunds", kind: "mean", direction: "increase", role: "exploratory" },
];

const enrolled: Enrolled[] = Array.from({ length: 9 }, (_, n) => ({
  user_id: `user-${n}`,
  variant: n < 5 ? "red" : "blue",
  assigned_at: NOW - n * MINUTE,
}));

const tracked: Tracked[] = Array.from({ length: 120 }, (_, n) => ({
  user_id: `user-${(n * n) % 9}`,
  metric_name: ["purchase", "clicks", "revenue"][n % 3] ?? "",
  value: ((n * 37) % 101) / 7 - 4,
  timestamp: NOW - (n % 12) * MINUTE,
}));

async function openTracked(): Promise<TestWorld> {
  const world = openWorld();
  await withColours(world, { changes: { metrics: definitions } });
  await call(importAssignments, world, { params, body: enrolled });
  await call(trackMetrics, world, { params, body: tracked });
  return world;
}

function expectedVariant(id: number, variant_name: string) {
  const users = enrolled.filter(({ variant }) => variant === variant_name);
  const names = new Set(users.map(({ user_id }) => user_id));
  const values = tracked.filter(({ user_id }) => names.has(user_id));
  const raw = values.map(({ value }) => value);
  const undeclared = { metric_name: "revenue", kind: "mean", direction: null, role: "exploratory" };
  return {
    variant_id: id,
    variant_name,
    is_control: id === 1,
    weight: 0.5,
    users: users.length,
    expected_users: 4.5,
    metric_count: raw.length,
    average_value: sumOf(raw) / raw.length,
    min_value: Math.min(...raw),
    max_value: Math.max(...raw),
    metrics: [...definitions, undeclared].map((definition) => expectedMetric(definition, users, values)),
  };
}

test("every figure agrees with a plain computation over all that was sent", async () => {
  const world = await openTracked();
  world.advance(5 * MINUTE);
  const { outcome, body } = await call(getResults, world, { params });
  expect(outcome).toBe("ok");
  const [red, blue] = [expectedVariant(1, "red"), expectedVariant(2, "blue")];
  const compared = blue.metrics.map((metric, index) =>
    expectedComparison(red.metrics[index] ?? metric, metric),
  );
  const shown = body.results.map(({ metrics, ...variant }) => ({
    ...variant,
    metrics: metrics.map(({ comparison: _, ...metric }) => metric),
  }));
  const comparisons = body.results.map(({ metrics }) => metrics.map(({ comparison }) => comparison));
  const figures = comparisons[1]?.map((one) => ({
    difference: one?.difference,
    standard_error: one?.standard_error,
  }));
  expect(comparisons[0]).toEqual([null, null, null, null]);
  expect(rounded(figures)).toEqual(rounded(compared));
  expect(rounded({ ...body, results: shown })).toStrictEqual(
    rounded({
      test_id: 1,
      test_name: "homepage_button_color",
      description: "Testing different button colors on homepage",
      status: "running",
      control: "red",
      confidence_level: 0.95,
      planned_users: null,
      completed: false,
      computed_at: "2026-11-22T10:05:00.000Z",
      // ln BF of five users against four: lnΓ(505) + lnΓ(504) − 2·lnΓ(500) + lnΓ(1000) − lnΓ(1009) + 9·ln 2.
      sample_ratio: {
        ok: true,
        p_value: 1,
        bayes_factor: 0.996021864879,
        leaked_users: 0,
        reason: null,
      },
      crossed: 0,
      verdict: {
        kind: "too_early",
        metric_name: "purchase",
        variant_name: null,
        summary: "Too early to say: “red” has 5 users so far, and 50 are needed. Let it run.",
      },
      results: [red, blue],
    }),
  );
});

test("a test without users has zeros for counts and null for what cannot be computed", async () => {
  const world = openWorld();
  await withColours(world, { changes: { metrics: [{ metric_name: "purchase", kind: "conversion" }] } });
  const nothing = {
    weight: 0.5,
    users: 0,
    expected_users: 0,
    metric_count: 0,
    average_value: null,
    min_value: null,
    max_value: null,
    metrics: [
      {
        metric_name: "purchase",
        kind: "conversion",
        direction: "increase",
        role: "primary",
        ...PLAIN,
        users: 0,
        users_with_value: 0,
        converted_users: 0,
        count: 0,
        sum: 0,
        mean: null,
        standard_deviation: null,
        dropped: NONE_DROPPED,
      },
    ],
  };
  const { body } = await call(getResults, world, { params });
  expect(body.verdict).toMatchObject({ kind: "no_data", metric_name: null, variant_name: null });
  expect(body.sample_ratio).toMatchObject({ ok: true, p_value: null, bayes_factor: null, reason: "NO_DATA" });
  const reasons = body.results.map(({ metrics }) => metrics.map(({ comparison }) => comparison?.reasons));
  expect(reasons).toEqual([[undefined], [["NO_DATA"]]]);
  const shown = body.results.map(({ metrics, ...variant }) => ({
    ...variant,
    metrics: metrics.map(({ comparison: _, ...metric }) => metric),
  }));
  expect(shown).toStrictEqual([
    { variant_id: 1, variant_name: "red", is_control: true, ...nothing },
    { variant_id: 2, variant_name: "blue", is_control: false, ...nothing },
  ]);
});

test("one user has a mean but no deviation; users without a value are zeros", async () => {
  const world = openWorld();
  await withColours(world, { users: { ann: "red", bob: "blue", cyd: "blue" } });
  const body = [
    { user_id: "ann", metric_name: "m", value: 3 },
    { user_id: "bob", metric_name: "m", value: 2 },
  ];
  await call(trackMetrics, world, { params, body });
  const { results } = (await call(getResults, world, { params })).body;
  expect(
    results.map(({ metrics }) =>
      metrics.map(({ users, mean, standard_deviation }) => [users, mean, standard_deviation]),
    ),
  ).toEqual([[[1, 3, null]], [[2, 1, Math.SQRT2]]]);
});

test("the users expected of a variant follow the weights; those in one of weight 0 are a leak and left out", async () => {
  const world = openWorld();
  const variants = [
    { variant_name: "red", weight: 1 },
    { variant_name: "blue", weight: 3 },
    { variant_name: "plain", weight: 0 },
  ];
  await withColours(world, { changes: { variants }, users: { a: "red", b: "blue", c: "blue", d: "plain" } });
  const { results } = (await call(getResults, world, { params })).body;
  expect(results.map(({ users, expected_users }) => [users, expected_users])).toEqual([
    [1, 0.75],
    [2, 2.25],
    [1, 0],
  ]);
});

test("declared metrics come first, in their order, and the others after them by name", async () => {
  const world = openWorld();
  const metrics = [{ metric_name: "z" }, { metric_name: "b" }];
  await withColours(world, { changes: { metrics }, users: { ann: "red" } });
  const body = ["c", "b", "a"].map((metric_name) => ({ user_id: "ann", metric_name }));
  await call(trackMetrics, world, { params, body });
  const { results } = (await call(getResults, world, { params })).body;
  const names = results.map((variant) => variant.metrics.map(({ metric_name }) => metric_name));
  expect(names).toEqual([
    ["z", "b", "a", "c"],
    ["z", "b", "a", "c"],
  ]);
});

test("large values keep their small differences", async () => {
  const world = openWorld();
  const users = Object.fromEntries(Array.from({ length: 4 }, (_, n) => [`u${n}`, "red"]));
  await withColours(world, { users });
  const body = [0.1, 0.2, 0.3, 0.4].map((digit, n) => ({
    user_id: `u${n}`,
    metric_name: "m",
    value: 1e7 + digit,
  }));
  await call(trackMetrics, world, { params, body });
  const [red] = (await call(getResults, world, { params })).body.results;
  expect(red?.metrics[0]?.standard_deviation).toBeCloseTo(Math.sqrt(0.05 / 3), 7);
});

test("the values of one test are nothing to another", async () => {
  const world = await openTracked();
  await withColours(world, { changes: { test_name: "second" }, users: { "user-0": "red" } });
  const { results } = (await call(getResults, world, { params: { test_id: "2" } })).body;
  expect(results.map(({ users, metric_count, metrics }) => [users, metric_count, metrics])).toEqual([
    [1, 0, []],
    [0, 0, []],
  ]);
});

test.each([
  ["2", ["not_found"]],
  ["x", ["invalid", "test_id"]],
])("a test %s has no results", async (test_id, refusal) => {
  const world = openWorld();
  await withColours(world);
  expect(await faultPathsOf(call(getResults, world, { params: { test_id } }))).toEqual(refusal);
});

test("asking changes nothing: no method that writes is called, and the answer stays the same", async () => {
  const world = await openTracked();
  const storage = new Proxy(world.storage, {
    get: (target, name, receiver) => {
      if (!["findExperiment", "experimentCells"].includes(String(name)))
        throw new Error(`${String(name)} is used`);
      return Reflect.get(target, name, receiver);
    },
  });
  const first = await call(getResults, { ...world, storage }, { params });
  expect(await call(getResults, { ...world, storage }, { params })).toStrictEqual(first);
});
