import { describe, expect, test } from "vitest";
import type { Attributes } from "../../../domain/storage.ts";
import { assignEverywhere } from "../../../handlers/experiments/assignments/assign-everywhere.ts";
import { assignVariant } from "../../../handlers/experiments/assignments/assign-variant.ts";
import { explainAssignment } from "../../../handlers/experiments/assignments/explain-assignment.ts";
import { createExperiment } from "../../../handlers/experiments/create-experiment.ts";
import { getResults } from "../../../handlers/experiments/get-results.ts";
import { getTimeline } from "../../../handlers/experiments/get-timeline.ts";
import { trackMetric } from "../../../handlers/experiments/metrics/track-metric.ts";
import { linkUsers } from "../../../handlers/people/link-users.ts";
import { call, MINUTE, openWorld, type TestWorld } from "../../world.ts";
import { track } from "../experiments/tracked.ts";

const params = { test_id: "1" };

async function shop(): Promise<TestWorld> {
  const world = openWorld();
  const metrics = [
    { metric_name: "revenue", kind: "mean", direction: "increase" },
    { metric_name: "purchases", kind: "count", direction: "increase", event_type: "purchase" },
  ];
  const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
  await call(createExperiment, world, { body: { test_name: "button", variants, metrics } });
  return world;
}

const link = (world: TestWorld, anonymous_id: string, user_id: string) =>
  call(linkUsers, world, { body: { anonymous_id, user_id } });

/** Assigns a given variant, not the one that the hash gives. */
const enrol = (world: TestWorld, user_id: string, variant: "red" | "blue", attributes?: Attributes) =>
  world.storage.assign(1, [
    { user_id, variant_id: variant === "red" ? 1 : 2, assigned_at: world.now(), attributes },
  ]);

const shownTo = async (world: TestWorld, user_id: string) =>
  (await call(assignVariant, world, { params, body: { user_id } })).body.variant;

const earn = async (world: TestWorld, user_id: string, value: number) =>
  (await call(trackMetric, world, { params, body: { user_id, metric_name: "revenue", value } })).body;

const resultsOf = async (world: TestWorld, query = {}) =>
  (await call(getResults, world, { params, query })).body;

/** Users, counted values and Σ of a metric, by variant. */
async function figuresOf(world: TestWorld, metric_name = "revenue") {
  const { results, crossed } = await resultsOf(world);
  const variants = results.map(({ variant_name, users, metrics }) => {
    const metric = metrics.find((one) => one.metric_name === metric_name);
    return [variant_name, users, metric?.count ?? 0, metric?.sum ?? 0];
  });
  return { variants, crossed };
}

describe("a visitor who logs in", () => {
  test("keeps the variant that they saw before, and counts once", async () => {
    const world = await shop();
    await enrol(world, "anon-1", "blue");
    world.advance(MINUTE);
    await link(world, "anon-1", "ann");
    expect(await shownTo(world, "ann")).toBe("blue");
    const everywhere = await call(assignEverywhere, world, { body: { user_id: "ann" } });
    expect(everywhere.body.assignments.map(({ variant }) => variant)).toEqual(["blue"]);
    const explained = await call(explainAssignment, world, { params, query: { user_id: "ann" } });
    expect(explained.body).toMatchObject({ variant: "blue", assigned_at: "2026-11-22T10:00:00.000Z" });
    expect(await figuresOf(world)).toEqual({
      variants: [
        ["red", 0, 0, 0],
        ["blue", 1, 0, 0],
      ],
      crossed: 0,
    });
  });

  test("adds what they do afterwards to what they did before", async () => {
    const world = await shop();
    await enrol(world, "anon-1", "blue");
    await earn(world, "anon-1", 2);
    await track(world, { event_type: "purchase", user_id: "anon-1" });
    await link(world, "anon-1", "ann");
    expect(await earn(world, "ann", 3)).toMatchObject({ variant: "blue", counted: true });
    await track(world, { event_type: "purchase", user_id: "ann" });
    expect((await figuresOf(world)).variants).toEqual([
      ["red", 0, 0, 0],
      ["blue", 1, 2, 5],
    ]);
    expect((await figuresOf(world, "purchases")).variants).toEqual([
      ["red", 0, 0, 0],
      ["blue", 1, 2, 2],
    ]);
  });

  test("has one variant on two devices, and counts once", async () => {
    const world = await shop();
    await enrol(world, "phone", "blue");
    await earn(world, "phone", 2);
    world.advance(MINUTE);
    await enrol(world, "laptop", "blue");
    await earn(world, "laptop", 3);
    expect((await figuresOf(world)).variants).toEqual([
      ["red", 0, 0, 0],
      ["blue", 2, 2, 5],
    ]);
    await link(world, "phone", "ann");
    await link(world, "laptop", "ann");
    expect(await figuresOf(world)).toEqual({
      variants: [
        ["red", 0, 0, 0],
        ["blue", 1, 2, 5],
      ],
      crossed: 0,
    });
    const { days } = (await call(getTimeline, world, { params })).body;
    expect(days.at(-1)?.variants.map(({ users }) => users)).toEqual([0, 1]);
    expect(await shownTo(world, "ann")).toBe("blue");
  });

  test("is shown the first of two different variants, and left out of the figures", async () => {
    const world = await shop();
    await enrol(world, "phone", "red", { plan: "free" });
    world.advance(MINUTE);
    await enrol(world, "laptop", "blue", { plan: "free" });
    await enrol(world, "bob", "blue", { plan: "free" });
    for (const user of ["phone", "laptop", "bob"]) await earn(world, user, 2);
    await link(world, "laptop", "ann");
    await link(world, "phone", "ann");
    expect(await Promise.all(["ann", "phone", "laptop"].map((id) => shownTo(world, id)))).toEqual([
      "red",
      "red",
      "red",
    ]);
    await earn(world, "ann", 5);
    expect(await figuresOf(world)).toEqual({
      variants: [
        ["red", 0, 0, 0],
        ["blue", 1, 1, 2],
      ],
      crossed: 1,
    });
    const { segments } = await resultsOf(world, { segment: "plan" });
    expect(segments?.values.map(({ users }) => users)).toEqual([1]);
    const { days } = (await call(getTimeline, world, { params })).body;
    expect(days.at(-1)?.variants.map(({ users }) => users)).toEqual([0, 1]);
  });

  test("counts once in a segment, with the values of both devices", async () => {
    const world = await shop();
    await enrol(world, "phone", "blue", { plan: "free" });
    world.advance(MINUTE);
    await enrol(world, "laptop", "blue", { plan: "pro" });
    await earn(world, "phone", 2);
    await earn(world, "laptop", 3);
    await link(world, "phone", "ann");
    await link(world, "laptop", "ann");
    const { segments } = await resultsOf(world, { segment: "plan" });
    const sums = segments?.values.map(({ value, users, variants }) => [
      value,
      users,
      variants[1]?.metrics.find(({ metric_name }) => metric_name === "revenue")?.sum,
    ]);
    expect(sums).toEqual([["free", 1, 5]]);
  });
});
