import { expect, test } from "vitest";
import { BrokenLine } from "../../../../handlers/contract/batch.ts";
import { getResults } from "../../../../handlers/experiments/get-results.ts";
import { trackMetric } from "../../../../handlers/experiments/metrics/track-metric.ts";
import { trackMetrics } from "../../../../handlers/experiments/metrics/track-metrics.ts";
import {
  call,
  faultPathsOf,
  MINUTE,
  NOW,
  openWorld,
  refusalOf,
  type TestWorld,
  withColours,
} from "../../../world.ts";

const params = { test_id: "1" };
const trackAll = (world: TestWorld, body: unknown, minimal = false) =>
  call(trackMetrics, world, { params, body, minimal });
const NOT_ASSIGNED = "this user has no variant: POST …/assign first, then track";

async function openColours(): Promise<TestWorld> {
  const world = openWorld();
  await withColours(world, { users: { ann: "red", bob: "blue" } });
  return world;
}

const resultsOf = async (world: TestWorld) => (await call(getResults, world, { params })).body;

test("values are stored under their users' variants, each answered in its place", async () => {
  const world = await openColours();
  const body = [
    { user_id: "bob", metric_name: "revenue", value: 2 },
    { user_id: "ann", metric_name: "click" },
  ];
  expect(await trackAll(world, body)).toStrictEqual({
    outcome: "created",
    body: {
      success: true,
      accepted: 2,
      duplicates: 0,
      rejected: 0,
      results: [
        { success: true, id: 1, variant: "blue", counted: true },
        { success: true, id: 2, variant: "red", counted: true },
      ],
    },
  });
});

test("a batch comes to the same results as its values one by one", async () => {
  const values = Array.from({ length: 40 }, (_, n) => ({
    user_id: n % 3 === 0 ? "ann" : "bob",
    metric_name: n % 5 === 0 ? "click" : "revenue",
    value: (n * 7.25) % 11,
    message_id: String(n % 30),
  }));
  const [together, apart] = [await openColours(), await openColours()];
  await trackAll(together, { metrics: values });
  for (const body of values) await call(trackMetric, apart, { params, body });
  expect(await resultsOf(together)).toStrictEqual(await resultsOf(apart));
});

test("good values are stored though others are refused, each refused for its own reasons", async () => {
  const world = await openColours();
  const body = [
    { user_id: "cyd", metric_name: "m" },
    { user_id: "ann", metric_name: "m", message_id: "1" },
    { user_id: "ann", metric_name: "", value: "7" },
    new BrokenLine(4),
    { user_id: "ann", metric_name: "m", message_id: "1" },
  ];
  expect(await trackAll(world, body)).toStrictEqual({
    outcome: "partial",
    body: {
      success: true,
      accepted: 1,
      duplicates: 1,
      rejected: 3,
      results: [
        { success: false, errors: [{ path: "user_id", message: NOT_ASSIGNED }] },
        { success: true, id: 1, variant: "red", counted: true },
        {
          success: false,
          errors: [
            { path: "metric_name", message: "must not be blank" },
            { path: "value", message: expect.stringContaining("number") },
          ],
        },
        { success: false, errors: [{ path: "", message: "line 4 is not JSON" }] },
        { success: true, id: 1, variant: "red", duplicate: true },
      ],
    },
  });
});

test("a minimal answer lists the refused alone", async () => {
  const body = [
    { user_id: "ann", metric_name: "m" },
    { user_id: "cyd", metric_name: "m" },
  ];
  expect((await trackAll(await openColours(), body, true)).body).toStrictEqual({
    success: true,
    accepted: 1,
    duplicates: 0,
    rejected: 1,
    results: [{ success: false, index: 1, errors: [{ path: "user_id", message: NOT_ASSIGNED }] }],
  });
});

test("a batch sent again counts nothing twice", async () => {
  const world = await openColours();
  const body = [
    { user_id: "ann", metric_name: "m", value: 3, message_id: "1" },
    { user_id: "bob", metric_name: "m", value: 4, message_id: "2" },
  ];
  await trackAll(world, body);
  const before = await resultsOf(world);
  expect((await trackAll(world, body)).body).toMatchObject({ accepted: 0, duplicates: 2, rejected: 0 });
  expect(await resultsOf(world)).toStrictEqual(before);
});

test("a sender whose clock runs ahead has its times set back by as much", async () => {
  const world = await openColours();
  const metrics = [
    { user_id: "ann", metric_name: "m", value: 1, timestamp: NOW + 200 * MINUTE },
    { user_id: "ann", metric_name: "m", value: 10, timestamp: NOW + 200 * MINUTE - 1 },
  ];
  await trackAll(world, { metrics, sent_at: NOW + 200 * MINUTE });
  expect((await resultsOf(world)).results[0]).toMatchObject({
    metric_count: 2,
    metrics: [{ count: 1, sum: 1 }],
  });
});

test("a value of a clock that is behind counts if it can have happened after the assignment", async () => {
  const world = await openColours();
  world.advance(20 * MINUTE);
  const behind = 10 * MINUTE;
  const sent_at = NOW + 20 * MINUTE - behind;
  const metrics = [
    { user_id: "ann", metric_name: "m", value: 1, timestamp: NOW + 1 - behind },
    { user_id: "ann", metric_name: "m", value: 10, timestamp: NOW - 1 - behind },
  ];
  await trackAll(world, { metrics, sent_at });
  expect((await resultsOf(world)).results[0]).toMatchObject({
    metric_count: 2,
    metrics: [{ count: 1, sum: 1 }],
  });
});

test("a batch of which nothing can be stored is refused as a whole", async () => {
  const world = await openColours();
  const body = [{ user_id: "cyd", metric_name: "m" }, { metric_name: "m" }];
  expect(await refusalOf(trackAll(world, body))).toEqual({
    code: "invalid",
    detail: "The batch has 2 faults; nothing was stored. See errors.",
    errors: [
      { path: "[0].user_id", message: NOT_ASSIGNED },
      { path: "[1].user_id", message: "is required" },
    ],
  });
});

test("2,000 values are a batch, 2,001 are too many", async () => {
  const world = await openColours();
  const values = (count: number) =>
    Array.from({ length: count }, () => ({ user_id: "ann", metric_name: "m" }));
  expect(await faultPathsOf(trackAll(world, values(2_001)))).toEqual(["too_large"]);
  expect((await trackAll(world, values(2_000), true)).body).toStrictEqual({
    success: true,
    accepted: 2_000,
    duplicates: 0,
    rejected: 0,
    results: [],
  });
  expect((await resultsOf(world)).results[0]).toMatchObject({ metric_count: 2_000 });
});

test.each<[string, unknown]>([
  ["no body", undefined],
  ["an empty list", []],
  ["a single value", { user_id: "ann", metric_name: "m" }],
  ["an envelope of another kind", { events: [{ user_id: "ann", metric_name: "m" }] }],
])("%s is no batch of values", async (_name, body) => {
  const [code] = await faultPathsOf(trackAll(await openColours(), body));
  expect(code).toBe("invalid");
});

test("a test that is not there takes no values", async () => {
  expect(await faultPathsOf(trackAll(openWorld(), [{ user_id: "a", metric_name: "m" }]))).toEqual([
    "not_found",
  ]);
});
