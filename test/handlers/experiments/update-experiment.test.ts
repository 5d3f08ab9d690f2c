import { expect, test } from "vitest";
import { assignVariant } from "../../../handlers/experiments/assignments/assign-variant.ts";
import { importAssignments } from "../../../handlers/experiments/assignments/import-assignments.ts";
import { getExperiment } from "../../../handlers/experiments/get-experiment.ts";
import { getResults } from "../../../handlers/experiments/get-results.ts";
import { trackMetric } from "../../../handlers/experiments/metrics/track-metric.ts";
import { updateExperiment } from "../../../handlers/experiments/update-experiment.ts";
import {
  call,
  coloursReply,
  faultPathsOf,
  MINUTE,
  openWorld,
  refusalOf,
  type TestWorld,
  withColours,
} from "../../world.ts";

const params = { test_id: "1" };
const change = (world: TestWorld, body: unknown) => call(updateExperiment, world, { params, body });
const assign = async (world: TestWorld, user_id: string) =>
  (await call(assignVariant, world, { params, body: { user_id } })).body;

const users = Array.from({ length: 200 }, (_, index) => `user-${index}`);

test("changes what is named and leaves the rest", async () => {
  const world = openWorld();
  await withColours(world);
  const changed = await change(world, {
    description: "Which one sells?",
    traffic: 0.4,
    weights: { blue: 3 },
  });
  const [red, blue] = coloursReply().variants;
  const body = coloursReply({
    description: "Which one sells?",
    traffic: 0.4,
    variants: [red, { ...blue, weight: 3 }],
  });
  expect(changed).toStrictEqual({ outcome: "ok", body });
  expect(await call(getExperiment, world, { params })).toStrictEqual({ outcome: "ok", body });
});

test("a draft takes nobody in until it runs", async () => {
  const world = openWorld();
  await withColours(world, { changes: { status: "draft" } });
  expect(await assign(world, "ann")).toStrictEqual({
    user_id: "ann",
    test_id: 1,
    variant: null,
    value: null,
    reason: "not_running",
  });
  await change(world, { status: "running" });
  expect(await assign(world, "ann")).toMatchObject({ variant_id: expect.any(Number) });
});

test("stops with a winner, tells when, and shows it to everybody", async () => {
  const world = openWorld();
  await withColours(world, { users: { ann: "red" } });
  world.advance(MINUTE);
  const stopped = await change(world, { status: "stopped", winner: "blue" });
  const body = coloursReply({ status: "stopped", stopped_at: "2026-11-22T10:01:00.000Z", winner: "blue" });
  expect(stopped).toStrictEqual({ outcome: "ok", body });
  expect(await assign(world, "ann")).toMatchObject({ variant: "blue", reason: "winner" });
  expect(await assign(world, "bob")).toMatchObject({ variant: "blue", reason: "winner" });
});

test("keeps who decided at the stop, why and when", async () => {
  const world = openWorld();
  await withColours(world, { changes: { hypothesis: "Blue calms.", notes: "Asked by Eve" } });
  world.advance(MINUTE);
  const decision = { who: "Ada", why: "Support cannot handle blue." };
  await change(world, { status: "stopped", winner: "red", decision, notes: "Try green next." });
  const { body } = await call(getExperiment, world, { params });
  expect(body).toMatchObject({
    hypothesis: "Blue calms.",
    notes: "Try green next.",
    decision: { ...decision, when: "2026-11-22T10:01:00.000Z" },
  });
});

test("refuses a decision about a test that runs", async () => {
  const world = openWorld();
  await withColours(world);
  const refused = change(world, { decision: { who: "Ada", why: "now" } });
  expect((await refusalOf(refused)).errors).toEqual([
    { path: "decision", message: "can be given when the test is stopped, in the same request or later" },
  ]);
});

test("stopping freezes the results: a later value is only counted among those that do not count", async () => {
  const world = openWorld();
  await withColours(world, { users: { ann: "red", bob: "blue" } });
  await call(trackMetric, world, { params, body: { user_id: "ann", metric_name: "sales", value: 3 } });
  await change(world, { status: "stopped" });
  const frozen = await call(getResults, world, { params });
  world.advance(MINUTE);
  await call(trackMetric, world, { params, body: { user_id: "bob", metric_name: "sales", value: 100 } });
  const [, blue] = frozen.body.results;
  const dropped = { ...blue?.metrics[0]?.dropped, after_stop: 1 };
  const shown = { ...blue, metrics: [{ ...blue?.metrics[0], dropped }] };
  expect((await call(getResults, world, { params })).body).toStrictEqual({
    ...frozen.body,
    results: [frozen.body.results[0], shown],
  });
  const late = call(importAssignments, world, { params, body: [{ user_id: "eve", variant: "red" }] });
  expect((await refusalOf(late)).code).toBe("conflict");
});

test("a change of weights moves nobody, and is remembered for the split that is expected", async () => {
  const world = openWorld();
  await withColours(world);
  const before = await Promise.all(users.map((user) => assign(world, user)));
  await change(world, { weights: { red: 0, blue: 1 } });
  expect(await Promise.all(users.map((user) => assign(world, user)))).toStrictEqual(before);
  const later = await Promise.all(users.map((user) => assign(world, `later-${user}`)));
  expect(later.every((body) => body.variant === "blue")).toBe(true);
  const { body } = await call(getResults, world, { params });
  expect(body.results.map((variant) => variant.expected_users)).toStrictEqual([100, 300]);
  expect(body.sample_ratio.ok).toBe(true);
});

test("raising the traffic moves nobody who is in, and takes more in", async () => {
  const world = openWorld();
  await withColours(world, { changes: { traffic: 0.3 } });
  const before = await Promise.all(users.map((user) => assign(world, user)));
  await change(world, { traffic: 1 });
  const after = await Promise.all(users.map((user) => assign(world, user)));
  const inBefore = before.filter((body) => body.variant !== null);
  expect(after).toEqual(expect.arrayContaining(inBefore));
  expect(inBefore.length).toBeGreaterThan(30);
  expect(inBefore.length).toBeLessThan(90);
  expect(after.every((body) => body.variant !== null)).toBe(true);
});

test("a tester sees the forced variant, and is left out of the statistics", async () => {
  const world = openWorld();
  await withColours(world, { changes: { traffic: 0 } });
  await change(world, { forced: { tess: "blue" } });
  expect(await assign(world, "tess")).toStrictEqual({
    user_id: "tess",
    test_id: 1,
    variant: "blue",
    variant_id: 2,
    value: "blue",
    assigned_at: "2026-11-22T10:00:00.000Z",
  });
  const tracked = await call(trackMetric, world, { params, body: { user_id: "tess", metric_name: "sales" } });
  expect(tracked).toStrictEqual({
    outcome: "created",
    body: { success: true, id: 1, variant: "blue", counted: false, reason: "tester" },
  });
  const { body } = await call(getResults, world, { params });
  expect(body.results.map(({ users, metric_count }) => [users, metric_count])).toStrictEqual([
    [0, 0],
    [0, 0],
  ]);
  await change(world, { forced: { tess: null } });
  expect(await assign(world, "tess")).toMatchObject({ variant: null, reason: "not_in_traffic" });
});

test("whoever is in the test cannot become a tester of it", async () => {
  const world = openWorld();
  await withColours(world, { users: { ann: "red" } });
  expect(await faultPathsOf(change(world, { forced: { ann: "blue" } }))).toStrictEqual([
    "conflict",
    "forced.ann",
  ]);
});

test.each([
  ["running", "draft", "paused or stopped"],
  ["running", "archived", "paused or stopped"],
])("refuses to go from %s to %s, and names where it can go", async (_from, to, allowed) => {
  const world = openWorld();
  await withColours(world);
  const { code, errors } = await refusalOf(change(world, { status: to }));
  expect(code).toBe("conflict");
  expect(errors).toStrictEqual([
    { path: "status", message: `cannot go from running to ${to}; from running it can go to ${allowed}` },
  ]);
});

test("what is stopped can be archived and brought back, but never runs again", async () => {
  const world = openWorld();
  await withColours(world);
  for (const status of ["stopped", "archived", "stopped"]) await change(world, { status });
  expect((await refusalOf(change(world, { status: "running" }))).code).toBe("conflict");
});

test.each([
  ["a winner of a running test", { winner: "red" }, ["conflict", "winner"]],
  [
    "weights of a test that is being stopped",
    { status: "stopped", weights: { red: 1 } },
    ["conflict", "weights"],
  ],
  ["an unknown winner", { status: "stopped", winner: "green" }, ["invalid", "winner"]],
  ["a weight of an unknown variant", { weights: { green: 1 } }, ["invalid", "weights.green"]],
  ["no weight left", { weights: { red: 0, blue: 0 } }, ["invalid", "weights"]],
  ["a negative weight", { weights: { red: -1 } }, ["invalid", "weights.red"]],
  ["an end that is over", { stop_at: "2026-11-22T09:59:59.999Z" }, ["invalid", "stop_at"]],
  ["traffic above 1", { traffic: 1.1 }, ["invalid", "traffic"]],
  ["an unknown forced variant", { forced: { tess: "green" } }, ["invalid", "forced.tess"]],
  ["an unknown field", { traffic: 1, wieghts: {} }, ["invalid", "wieghts"]],
  ["nothing", {}, ["invalid", ""]],
])("refuses %s and changes nothing", async (_what, body, expected) => {
  const world = openWorld();
  await withColours(world);
  expect(await faultPathsOf(change(world, body))).toStrictEqual(expected);
  expect((await call(getExperiment, world, { params })).body).toStrictEqual(coloursReply());
});

test("an unknown test is not found", async () => {
  expect((await refusalOf(change(openWorld(), { traffic: 1 }))).code).toBe("not_found");
});

const faultsOfAdding = async (metrics: unknown, changes: object = {}) => {
  const world = openWorld();
  await withColours(world, { changes: { metrics: [{ metric_name: "signup" }], ...changes } });
  return (await refusalOf(change(world, { metrics }))).errors;
};

test("adds metrics, and leaves those there are as they were", async () => {
  const world = openWorld();
  await withColours(world, { changes: { metrics: [{ metric_name: "signup", kind: "conversion" }] } });
  const added = [
    { metric_name: "crash", kind: "count", direction: "decrease", role: "guardrail", margin: 0.5 },
    { metric_name: "crashes_per_signup", kind: "ratio", denominator: "signup" },
  ];
  await change(world, { metrics: added });
  const { body } = await call(getExperiment, world, { params });
  const declared_at = "2026-11-22T10:00:00.000Z";
  expect(body.metrics).toStrictEqual([
    { metric_name: "signup", kind: "conversion", direction: "increase", role: "primary" },
    {
      metric_name: "crash",
      kind: "count",
      direction: "decrease",
      role: "guardrail",
      margin: 0.5,
      declared_at,
    },
    {
      metric_name: "crashes_per_signup",
      kind: "ratio",
      direction: "increase",
      role: "exploratory",
      denominator: "signup",
      declared_at,
    },
  ]);
});

test("makes the first metric that is added to an experiment without metrics the primary one", async () => {
  const world = openWorld();
  await withColours(world);
  await change(world, { metrics: [{ metric_name: "signup" }, { metric_name: "revenue" }] });
  const { body } = await call(getExperiment, world, { params });
  expect(body.metrics.map(({ role }) => role)).toEqual(["primary", "exploratory"]);
});

test.each<[string, unknown, object, string]>([
  ["that is declared already", [{ metric_name: "Signup" }], {}, "metrics[0].metric_name"],
  ["that would be a second primary one", [{ metric_name: "m", role: "primary" }], {}, "metrics"],
  [
    "whose denominator is unknown",
    [{ metric_name: "m", kind: "ratio", denominator: "nothing" }],
    {},
    "metrics[0].denominator",
  ],
  [
    "whose window is longer than that of the test",
    [{ metric_name: "m", window_days: 9 }],
    { planned_users: 100, window_days: 7 },
    "metrics[0].window_days",
  ],
])("refuses to add a metric %s, and says where", async (_name, metrics, changes, path) => {
  const errors = await faultsOfAdding(metrics, changes);
  expect(errors.map((error) => error.path)).toEqual([path]);
});
