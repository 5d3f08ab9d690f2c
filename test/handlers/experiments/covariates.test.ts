import { expect, test, vi } from "vitest";
import { Failure } from "../../../domain/failure.ts";
import { assignEverywhere } from "../../../handlers/experiments/assignments/assign-everywhere.ts";
import { assignVariant } from "../../../handlers/experiments/assignments/assign-variant.ts";
import { importAssignments } from "../../../handlers/experiments/assignments/import-assignments.ts";
import { getExperiment } from "../../../handlers/experiments/get-experiment.ts";
import { getResults } from "../../../handlers/experiments/get-results.ts";
import { getTimeline } from "../../../handlers/experiments/get-timeline.ts";
import { trackMetrics } from "../../../handlers/experiments/metrics/track-metrics.ts";
import { updateExperiment } from "../../../handlers/experiments/update-experiment.ts";
import { linkUsers } from "../../../handlers/people/link-users.ts";
import { call, MINUTE, NOW, openWorld, refusalOf, type TestWorld, withColours } from "../../world.ts";
import { track } from "./tracked.ts";

const params = { test_id: "1" };
const DAY = 24 * 60 * MINUTE;
const USERS = Array.from({ length: 140 }, (_, index) => `user-${index}`);

/** The total of orders that a user made in the two weeks before their assignment, in cents. */
const spentBefore = (index: number): number => (index % 7) * 100 + (index % 5);

/** The orders before the assignment, and others that belong to no covariate of fourteen days. */
const ordersOf = (user_id: string, index: number): object[] => {
  const order = (timestamp: number, amount: unknown, event_type = "order") => ({
    event_type,
    user_id,
    timestamp,
    properties: { amount },
  });
  const total = spentBefore(index);
  return [
    order(NOW - 14 * DAY, total - 1),
    order(NOW - 1, 1),
    order(NOW - 14 * DAY - 1, 5_000),
    order(NOW, 5_000),
    order(NOW - DAY, 5_000, "refund"),
    order(NOW - DAY, "5000"),
  ];
};

const trackOrders = (world: TestWorld) => track(world, ...USERS.flatMap(ordersOf));

const valuesOf = (user_id: string, index: number) => ({
  user_id,
  metric_name: "revenue",
  value: 50 + 3 * spentBefore(index) + (index % 11),
});

const trackValues = (world: TestWorld) => call(trackMetrics, world, { params, body: USERS.map(valuesOf) });

async function assignAll(world: TestWorld, attributesOf?: (index: number) => object): Promise<void> {
  for (const [index, user_id] of USERS.entries()) {
    const attributes = attributesOf === undefined ? {} : { attributes: attributesOf(index) };
    await call(assignVariant, world, { params, body: { user_id, ...attributes } });
  }
}

async function resultsIn(world: TestWorld) {
  const read = async () => (await call(getResults, world, { params })).body;
  await vi.waitUntil(async () => (await read()).pending_rows === undefined, { timeout: 20_000 });
  return await read();
}

const declared = (covariate?: object) => ({
  changes: { metrics: [{ metric_name: "revenue", covariate }] },
});
const OF_EVENTS = { event_type: "order", property: "amount" };

/** The results of a test whose users came with the same covariate as an attribute. */
async function resultsByAttribute() {
  const world = openWorld();
  await withColours(world, declared({ attribute: "spent" }));
  await assignAll(world, (index) => ({ spent: spentBefore(index) }));
  await trackValues(world);
  return resultsIn(world);
}

const standardErrorOf = ({ results }: Awaited<ReturnType<typeof resultsIn>>): number =>
  results[1]?.metrics[0]?.comparison?.standard_error ?? Number.NaN;

test("a covariate made of events is their total in the days before the assignment, as if it had been sent", async () => {
  const world = openWorld();
  await withColours(world, declared(OF_EVENTS));
  await trackOrders(world);
  await assignAll(world);
  await trackValues(world);
  const results = await resultsIn(world);
  expect(results).toStrictEqual(await resultsByAttribute());

  const plain = openWorld();
  await withColours(plain, declared());
  await assignAll(plain);
  await trackValues(plain);
  expect(standardErrorOf(results)).toBeLessThan(0.1 * standardErrorOf(await resultsIn(plain)));
});

test("the days of a covariate are fourteen where none are given, and shown with the test", async () => {
  const world = openWorld();
  await withColours(world, declared(OF_EVENTS));
  const { body } = await call(getExperiment, world, { params });
  expect(body.metrics).toStrictEqual([
    {
      metric_name: "revenue",
      kind: "mean",
      direction: "increase",
      role: "primary",
      covariate: { event_type: "order", property: "amount", days: 14 },
    },
  ]);
});

test("a covariate is fixed at the assignment: an event of before that arrives later changes nothing", async () => {
  const world = openWorld();
  await withColours(world, declared(OF_EVENTS));
  await trackOrders(world);
  await assignAll(world);
  await trackValues(world);
  const before = await resultsIn(world);
  await track(world, {
    event_type: "order",
    user_id: "user-3",
    timestamp: NOW - DAY,
    properties: { amount: 900 },
  });
  expect(await resultsIn(world)).toStrictEqual(before);
});

const sumsOf = async (world: TestWorld) => {
  const cells = (await world.storage.experimentCells(1))?.cells ?? [];
  const sums = cells.flatMap(({ metrics }) => metrics.flatMap(({ covariate }) => covariate ?? []));
  return {
    x: sums.reduce((sum, { x }) => sum + x.high, 0),
    xx: sums.reduce((sum, { xx }) => sum + xx.high, 0),
  };
};

test.each<[string, (world: TestWorld) => Promise<unknown>]>([
  ["single assignments", (world) => call(assignVariant, world, { params, body: { user_id: "ann" } })],
  ["the assignments of all tests", (world) => call(assignEverywhere, world, { body: { user_id: "ann" } })],
  [
    "imports, before the time of the assignment that they say",
    (world) =>
      call(importAssignments, world, {
        params,
        body: [
          { user_id: "bob", variant: "red" },
          { user_id: "ann", variant: "red", assigned_at: NOW - DAY },
        ],
      }),
  ],
])("a covariate without a property counts events, for %s", async (_name, assign) => {
  const world = openWorld();
  await withColours(world, declared({ event_type: "view", days: 2 }));
  const view = (hours: number) => ({
    event_type: "view",
    user_id: "ann",
    timestamp: NOW - hours * 60 * MINUTE,
  });
  await track(world, view(30), view(47), view(49), view(73));
  await assign(world);
  const isEarlier = (await world.storage.findAssignment(1, "ann"))?.assigned_at !== NOW;
  expect(await sumsOf(world)).toEqual(isEarlier ? { x: 3, xx: 9 } : { x: 2, xx: 4 });
});

test("events under another id of the same person belong to the covariate", async () => {
  const world = openWorld();
  await withColours(world, declared({ event_type: "view" }));
  const view = (user_id: string) => ({ event_type: "view", user_id, timestamp: NOW - DAY });
  await track(world, view("visitor-1"), view("visitor-1"), view("ann"));
  await call(linkUsers, world, { body: { anonymous_id: "visitor-1", user_id: "ann" } });
  await call(assignVariant, world, { params, body: { user_id: "ann" } });
  expect(await sumsOf(world)).toEqual({ x: 3, xx: 9 });
});

test("a user gets a variant, with the covariate 0, where the events cannot be read", async () => {
  const world = openWorld();
  const busy = {
    ...world.storage,
    userFacts: () => Promise.reject(new Failure("unavailable", "Too many reports are waiting already.")),
  };
  await withColours(world, declared({ event_type: "view" }));
  await track(world, { event_type: "view", user_id: "ann", timestamp: NOW - DAY });
  const { outcome } = await call(
    assignVariant,
    { ...world, storage: busy },
    { params, body: { user_id: "ann" } },
  );
  expect(outcome).toBe("created");
  expect(await sumsOf(world)).toEqual({ x: 0, xx: 0 });
});

const add = (world: TestWorld, covariate: object) =>
  call(updateExperiment, world, { params, body: { metrics: [{ metric_name: "revenue", covariate }] } });

test.each<[string, object, ((index: number) => object) | undefined]>([
  ["made of events", OF_EVENTS, undefined],
  ["sent with the assignments", { attribute: "spent" }, (index) => ({ spent: spentBefore(index) })],
])(
  "a metric that is added later has the covariates of all users, %s",
  async (_name, covariate, attributesOf) => {
    const world = openWorld();
    await withColours(world);
    await trackOrders(world);
    await assignAll(world, attributesOf);
    await trackValues(world);
    world.advance(MINUTE);
    await add(world, covariate);
    const { results, verdict } = await resultsIn(world);
    const expected = await resultsByAttribute();
    expect(results).toStrictEqual(expected.results);
    expect(verdict.summary).toContain("has decided since 2026-11-22");
    const { body } = await call(getTimeline, world, { params });
    expect(body.days.at(-1)?.variants[1]?.metrics[0]).toMatchObject({
      difference: results[1]?.metrics[0]?.comparison?.difference,
      interval: results[1]?.metrics[0]?.comparison?.interval,
    });
  },
);

test("users and values that come after a metric was added count with their covariates too", async () => {
  const world = openWorld();
  await withColours(world);
  await trackOrders(world);
  const [first, second] = [USERS.slice(0, 60), USERS.slice(60)];
  const assign = async (users: readonly string[]) => {
    for (const user_id of users) await call(assignVariant, world, { params, body: { user_id } });
  };
  await assign(first);
  await call(trackMetrics, world, { params, body: first.map(valuesOf) });
  await add(world, OF_EVENTS);
  await assign(second);
  await call(trackMetrics, world, {
    params,
    body: second.map((user_id, index) => valuesOf(user_id, index + first.length)),
  });
  expect((await resultsIn(world)).results).toStrictEqual((await resultsByAttribute()).results);
});

test.each<[string, object, string]>([
  [
    "of a ratio",
    { kind: "ratio", denominator: "orders", covariate: { attribute: "spent" } },
    "metrics[1].covariate",
  ],
  ["with both ways", { covariate: { attribute: "spent", event_type: "order" } }, "metrics[1].covariate"],
  ["with nothing", { covariate: {} }, "metrics[1].covariate"],
  ["with no day", { covariate: { event_type: "order", days: 0 } }, "metrics[1].covariate.days"],
  [
    "with more days than a year has",
    { covariate: { event_type: "order", days: 367 } },
    "metrics[1].covariate.days",
  ],
])("refuses a covariate %s, with the field and what it may be", async (_name, metric, path) => {
  const metrics = [{ metric_name: "orders" }, { metric_name: "m", ...metric }];
  const { code, errors } = await refusalOf(withColours(openWorld(), { changes: { metrics } }));
  expect([code, errors.map((error) => error.path)]).toEqual(["invalid", [path]]);
  expect(errors[0]?.message).toMatch(/leave it out|must be \{"attribute"|from 1 to 366/);
});
