import { expect, test } from "vitest";
import { getResults } from "../../../../handlers/experiments/get-results.ts";
import { trackMetric } from "../../../../handlers/experiments/metrics/track-metric.ts";
import { updateExperiment } from "../../../../handlers/experiments/update-experiment.ts";
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
const track = (world: TestWorld, body: unknown) => call(trackMetric, world, { params, body });

async function openColours(): Promise<TestWorld> {
  const world = openWorld();
  await withColours(world, { users: { ann: "red", bob: "blue" } });
  return world;
}

/** Count, sum and users with a value, of each variant's first metric. */
async function countedOf(world: TestWorld) {
  const { body } = await call(getResults, world, { params });
  return body.results.map(({ metrics: [metric] }) => [metric?.count, metric?.sum, metric?.converted_users]);
}

test("a value of an assigned user is stored under the user's variant", async () => {
  const world = await openColours();
  expect(await track(world, { user_id: "bob", metric_name: "revenue", value: -9.5 })).toStrictEqual({
    outcome: "created",
    body: { success: true, id: 1, variant: "blue", counted: true },
  });
  expect(await track(world, { user_id: "ann", metric_name: "revenue", value: 3 })).toStrictEqual({
    outcome: "created",
    body: { success: true, id: 2, variant: "red", counted: true },
  });
  expect(await countedOf(world)).toEqual([
    [1, 3, 1],
    [1, -9.5, 1],
  ]);
});

test("a value that is left out is 1", async () => {
  const world = await openColours();
  await track(world, { user_id: "ann", metric_name: "click" });
  await track(world, { user_id: "ann", metric_name: "click" });
  expect(await countedOf(world)).toEqual([
    [2, 2, 1],
    [0, 0, 0],
  ]);
});

test("a message sent again, with other values between, is counted once and answered with the first id", async () => {
  const world = await openColours();
  const retried = { user_id: "ann", metric_name: "revenue", value: 5, message_id: "order-17" };
  await track(world, retried);
  await track(world, { user_id: "bob", metric_name: "revenue", value: 7 });
  world.advance(90 * MINUTE);
  expect(await track(world, { ...retried, value: 6 })).toStrictEqual({
    outcome: "ok",
    body: { success: true, id: 1, variant: "red", duplicate: true },
  });
  expect(await countedOf(world)).toEqual([
    [1, 5, 1],
    [1, 7, 1],
  ]);
});

test("a UUID is the same message in capitals and in small letters", async () => {
  const world = await openColours();
  const message_id = "018f6a1e-7c3b-7d2a-9f00-aabbccddeeff";
  const send = async (id: string) =>
    (await track(world, { user_id: "ann", metric_name: "m", message_id: id })).outcome;
  expect(await send(message_id)).toBe("created");
  expect(await send(message_id.toUpperCase())).toBe("ok");
});

test("one message id in two tests is two messages", async () => {
  const world = await openColours();
  await withColours(world, { changes: { test_name: "second" }, users: { ann: "red" } });
  const body = { user_id: "ann", metric_name: "m", message_id: "1" };
  expect((await track(world, body)).outcome).toBe("created");
  expect((await call(trackMetric, world, { params: { test_id: "2" }, body })).outcome).toBe("created");
});

test("what happened before the user's assignment is kept, but not counted", async () => {
  const world = await openColours();
  const before = { user_id: "ann", metric_name: "m", value: 100, timestamp: NOW - 1 };
  expect((await track(world, before)).body).toStrictEqual({
    success: true,
    id: 1,
    variant: "red",
    counted: false,
    reason: "before_assignment",
  });
  await track(world, { user_id: "ann", metric_name: "m", value: 1, timestamp: NOW });
  expect(await countedOf(world)).toEqual([
    [1, 1, 1],
    [0, 0, 0],
  ]);
  const { body } = await call(getResults, world, { params });
  expect(body.results[0]).toMatchObject({
    metric_count: 2,
    average_value: 50.5,
    min_value: 1,
    max_value: 100,
  });
});

test("a user without a variant is refused, told what to do first, and nothing is stored", async () => {
  const world = await openColours();
  const answer = track(world, { user_id: "cyd", metric_name: "m", message_id: "1" });
  expect(await refusalOf(answer)).toEqual({
    code: "conflict",
    detail: "Nothing was stored: this user has no variant: POST …/assign first, then track.",
    errors: [{ path: "user_id", message: "this user has no variant: POST …/assign first, then track" }],
  });
  expect((await track(world, { user_id: "ann", metric_name: "m", message_id: "1" })).body).toStrictEqual({
    success: true,
    id: 1,
    variant: "red",
    counted: true,
  });
});

test("a test that is not there takes no values", async () => {
  const answer = track(openWorld(), { user_id: "ann", metric_name: "m" });
  expect(await faultPathsOf(answer)).toEqual(["not_found"]);
});

test.each([0, -0, 1e-300, 1e12, -1e12, 0.1])("the value %d is taken", async (value) => {
  const world = await openColours();
  await track(world, { user_id: "ann", metric_name: "m", value });
  expect(await countedOf(world)).toEqual([
    [1, value + 0, 1],
    [0, 0, 0],
  ]);
});

test("a value that takes its user's total out of range is refused, and nothing of it is stored", async () => {
  const world = await openColours();
  const large = { user_id: "ann", metric_name: "m", value: 1e12 };
  for (let n = 0; n < 10; n += 1) expect((await track(world, large)).outcome).toBe("created");
  const refused = await refusalOf(track(world, { ...large, message_id: "1" }));
  expect([refused.code, refused.errors]).toEqual([
    "invalid",
    [
      {
        path: "value",
        message: "takes the user's total beyond ±10000000000000: send the metric in a larger unit",
      },
    ],
  ]);
  expect((await track(world, { ...large, value: -1, message_id: "1" })).outcome).toBe("created");
  const { cells = [], raw = [] } = (await world.storage.experimentCells(1)) ?? {};
  expect(cells[0]?.metrics[0]?.y.high).toBe(1e13 - 1);
  expect(raw.map(({ count, sum }) => [count, sum])).toEqual([[11, 1e13 - 1]]);
});

test("a value after the metric's window is kept, and told not to count", async () => {
  const world = openWorld();
  const metrics = [{ metric_name: "m", window_days: 1 }];
  await withColours(world, { changes: { metrics }, users: { ann: "red" } });
  world.advance(24 * 60 * MINUTE);
  const value = { user_id: "ann", metric_name: "m" };
  expect((await track(world, value)).body).toMatchObject({ counted: true });
  world.advance(1);
  expect((await track(world, value)).body).toMatchObject({ counted: false, reason: "after_window" });
});

test("a value after the stop is kept, and told not to count", async () => {
  const world = await openColours();
  await call(updateExperiment, world, { params, body: { status: "stopped" } });
  const value = { user_id: "ann", metric_name: "m" };
  expect((await track(world, value)).body).toMatchObject({ counted: false, reason: "after_stop" });
});

test("a value with a time more than an hour ahead is stored as of its arrival, and the answer says so", async () => {
  const world = await openColours();
  const body = { user_id: "ann", metric_name: "m", message_id: null, timestamp: NOW + 60 * MINUTE + 1 };
  expect(await track(world, body)).toStrictEqual({
    outcome: "created",
    body: { success: true, id: 1, variant: "red", counted: true, timestamp: "2026-11-22T10:00:00.000Z" },
  });
});

test.each<[string, unknown, string[]]>([
  ["no body", undefined, [""]],
  ["nothing in it", {}, ["user_id", "metric_name"]],
  ["a blank metric and user", { user_id: " ", metric_name: "" }, ["user_id", "metric_name"]],
  ["a metric of 201 characters", { user_id: "ann", metric_name: "m".repeat(201) }, ["metric_name"]],
  ["a control character", { user_id: "ann\u007f", metric_name: "m" }, ["user_id"]],
  ["a value that is a text", { user_id: "ann", metric_name: "m", value: "1" }, ["value"]],
  ["a value that is null", { user_id: "ann", metric_name: "m", value: null }, ["value"]],
  ["a value that is no number", { user_id: "ann", metric_name: "m", value: Number.NaN }, ["value"]],
  ["a value beyond the bound", { user_id: "ann", metric_name: "m", value: 1.1e12 }, ["value"]],
  ["the largest number there is", { user_id: "ann", metric_name: "m", value: -Number.MAX_VALUE }, ["value"]],
  ["an infinite value", { user_id: "ann", metric_name: "m", value: Number.POSITIVE_INFINITY }, ["value"]],
  ["a time in seconds", { user_id: "ann", metric_name: "m", timestamp: 1_795_000_000 }, ["timestamp"]],
  ["an empty message id", { user_id: "ann", metric_name: "m", message_id: "" }, ["message_id"]],
  ["a variant", { user_id: "ann", metric_name: "m", variant: "red" }, ["variant"]],
])("a value with %s is refused, and not stored", async (_name, body, paths) => {
  const world = await openColours();
  expect(await faultPathsOf(track(world, body))).toEqual(["invalid", ...paths]);
  expect((await track(world, { user_id: "ann", metric_name: "m" })).body.id).toBe(1);
});
