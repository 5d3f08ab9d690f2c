import { beforeAll, describe, expect, test } from "vitest";
import { openSqlite } from "../../adapters/sqlite/storage.ts";
import type { Storage } from "../../domain/storage.ts";
import { DAY } from "../../domain/time.ts";
import { getResults } from "../../handlers/experiments/get-results.ts";
import { getTimeline } from "../../handlers/experiments/get-timeline.ts";
import { computeFunnel } from "../../handlers/reports/compute-funnel.ts";
import { getRetention } from "../../handlers/reports/get-retention.ts";
import { calendarUntil } from "../../scripts/demo/calendar.ts";
import { demoTests } from "../../scripts/demo/experiments.ts";
import { type Filled, fill, isEmpty } from "../../scripts/demo/fill.ts";
import { demoEvents } from "../../scripts/demo/story.ts";
import { call, NOW, openWorld } from "../world.ts";

const sizeOf = (seed: number) => ({ seed, now: NOW, events: 60_000, users: 3_300 });

function expectBetween(value: number | undefined, low: number, high: number): void {
  expect(value).toBeGreaterThan(low);
  expect(value).toBeLessThan(high);
}

async function filled(seed: number): Promise<{ storage: Storage; made: Filled; shown: number[] }> {
  const storage = openSqlite(":memory:");
  const shown: number[] = [];
  const made = await fill(storage, sizeOf(seed), (done) => shown.push(done));
  return { storage, made, shown };
}

describe("a database filled with the default story", () => {
  let demo: Awaited<ReturnType<typeof filled>>;
  beforeAll(async () => {
    demo = await filled(1);
    return () => demo.storage.close();
  });
  const world = () => openWorld({ storage: demo.storage });

  test("contains all events and experiments of the story", async () => {
    const events = [...demoEvents(sizeOf(1))];
    const types = (await demo.storage.eventTypes()).value;
    expect(types.reduce((sum, { count }) => sum + count, 0)).toBe(events.length);
    expect(demo.made).toMatchObject({
      events: events.length,
      users: new Set(events.flatMap(({ user_id }) => user_id ?? [])).size,
      experiments: [{ test_name: "signup_button_color" }, { test_name: "free_shipping_banner" }],
    });
  });

  test("reported progress that never decreased and ended at the requested number", () => {
    expect(demo.shown).toEqual([...demo.shown].sort((a, b) => a - b));
    expect(demo.shown.filter((done) => done === 60_000)).toHaveLength(1);
    expect(demo.shown.at(-1)).toBe(60_000);
  });

  test("has the funnel of a shop: a fifth adds to the cart and a tenth buys", async () => {
    const steps = ["product_view", "add_to_cart", "checkout_started", "purchase"].map((event_type) => ({
      event_type,
    }));
    const { body } = await call(computeFunnel, world(), { body: { steps, from: NOW - 90 * DAY } });
    const [viewed, taken, checkedOut, bought] = body.steps.map(({ rate_from_start }) => rate_from_start ?? 0);
    expect(viewed).toBe(1);
    expectBetween(taken, 0.17, 0.3);
    expectBetween(checkedOut, 0.1, 0.2);
    expectBetween(bought, 0.06, 0.14);
  });

  test("has retention that declines to the share of regular users", async () => {
    const query = { interval: "week", from: String(NOW - 89 * DAY), periods: "11" };
    const { body } = await call(getRetention, world(), { query });
    const rate = (week: number): number => {
      const over = body.cohorts.filter(({ returned, unfinished }) => week < (unfinished ?? returned.length));
      const sum = (numbers: number[]): number => numbers.reduce((total, one) => total + one, 0);
      return sum(over.map(({ returned }) => returned[week] ?? 0)) / sum(over.map(({ users }) => users));
    };
    expect(rate(0)).toBe(1);
    expectBetween(rate(1), 0.28, 0.42);
    expectBetween(rate(4), 0.11, 0.22);
    expectBetween(rate(8), 0.07, 0.15);
  });

  test("has a timeline since the start of each experiment, with users on the first day", async () => {
    for (const [index, days] of [
      [0, 60],
      [1, 28],
    ] as const) {
      const experiment = demo.made.experiments[index];
      const { body } = await call(getTimeline, world(), { params: { test_id: String(experiment?.id) } });
      expect(body.days).toHaveLength(days);
      expect(body.days[0]?.day).toBe(new Date(experiment?.created_at ?? 0).toISOString().slice(0, 10));
      expect(body.days[0]?.variants.every(({ users }) => users > 0)).toBe(true);
      expect(body.days.at(-1)?.day).toBe("2026-11-22");
    }
  });

  test("has exactly the declared metrics, each with values", async () => {
    for (const [index, primary] of ["signup", "purchase"].entries()) {
      const test_id = String(demo.made.experiments[index]?.id);
      const { body } = await call(getResults, world(), { params: { test_id } });
      for (const { metrics } of body.results) {
        expect(metrics.map(({ metric_name, kind, direction }) => [metric_name, kind, direction])).toEqual([
          [primary, "conversion", "increase"],
          ["revenue", "mean", "increase"],
          ["wishlist_adds", "count", "increase"],
          ["support_contacts", "count", "decrease"],
        ]);
        expect(metrics.every(({ converted_users }) => converted_users > 10)).toBe(true);
      }
    }
  });

  test("has tracked metrics that equal the events of the same users", async () => {
    const banner = demo.made.experiments[1];
    if (banner === undefined) throw new Error("The second experiment is missing.");
    const assigned = new Map<string, boolean>();
    let purchases = 0;
    for (const { user_id, event_type, occurred_at } of demoEvents(sizeOf(1))) {
      if (user_id === null || occurred_at < banner.created_at) continue;
      if (event_type === "product_view") assigned.set(user_id, true);
      if (event_type === "purchase" && assigned.has(user_id)) purchases += 1;
    }
    const { body } = await call(getResults, world(), { params: { test_id: String(banner.id) } });
    const counted = body.results.flatMap(({ metrics }) =>
      metrics.filter(({ metric_name }) => metric_name === "purchase"),
    );
    expect(counted.reduce((sum, { count }) => sum + count, 0)).toBe(purchases);
    expect(body.results.reduce((sum, { users }) => sum + users, 0)).toBe(assigned.size);
  });

  test("is no longer empty", async () => {
    expect(await isEmpty(demo.storage)).toBe(false);
  });
});

test.each([1, 2, 3])(
  "with seed %i the demo has a winner, a test without difference and no split alarm",
  async (seed) => {
    const { storage, made } = await filled(seed);
    const found = [];
    for (const experiment of made.experiments) {
      const params = { test_id: String(experiment.id) };
      const { body } = await call(getResults, openWorld({ storage }), { params });
      const { kind, metric_name, variant_name } = body.verdict;
      found.push({ kind, metric_name, variant_name, split: body.sample_ratio.reason });
    }
    expect(found).toEqual([
      { kind: "winner", metric_name: "signup", variant_name: "blue", split: null },
      { kind: "no_difference_yet", metric_name: "purchase", variant_name: null, split: null },
    ]);
    await storage.close();
  },
);

test("a database with only an experiment or only an event is not empty", async () => {
  const [withEvent, withTest, empty] = [
    openSqlite(":memory:"),
    openSqlite(":memory:"),
    openSqlite(":memory:"),
  ];
  const [event] = demoEvents({ ...sizeOf(1), events: 1_000, users: 50 });
  if (event !== undefined) await withEvent.appendEvents([event]);
  await withTest.createExperiment(demoTests(1, calendarUntil(NOW)).button.experiment);
  expect(await Promise.all([withEvent, withTest, empty].map(isEmpty))).toEqual([false, false, true]);
  for (const storage of [withEvent, withTest, empty]) await storage.close();
});
