import { expect, test } from "vitest";
import { variantBucket } from "../../../../domain/experiments/assignment.ts";
import { assignVariant } from "../../../../handlers/experiments/assignments/assign-variant.ts";
import { explainAssignment } from "../../../../handlers/experiments/assignments/explain-assignment.ts";
import { getResults } from "../../../../handlers/experiments/get-results.ts";
import { updateExperiment } from "../../../../handlers/experiments/update-experiment.ts";
import { call, faultPathsOf, openWorld, type TestWorld, withColours } from "../../../world.ts";

const params = { test_id: "1" };
const explain = async (world: TestWorld, user_id: string) =>
  (await call(explainAssignment, world, { params, query: { user_id } })).body;

test("computes the variant that assigning gives, without enrolling anybody", async () => {
  const world = openWorld();
  await withColours(world, {
    changes: { variants: [{ variant_name: "red" }, { variant_name: "blue", weight: 3 }] },
  });
  const explained = await explain(world, "ann");
  expect(explained).toStrictEqual({
    user_id: "ann",
    test_id: 1,
    status: "running",
    variant: explained.bucket < 0.25 ? "red" : "blue",
    variant_id: explained.bucket < 0.25 ? 1 : 2,
    value: explained.bucket < 0.25 ? "red" : "blue",
    source: "computed",
    reason: "Computed: the range that the user's bucket falls into; assigning would store it.",
    assigned_at: null,
    traffic: { bucket: expect.any(Number), share: 1, in_traffic: true },
    bucket: variantBucket("salt-1", "ann"),
    ranges: [
      { variant: "red", variant_id: 1, weight: 1, from: 0, to: 0.25 },
      { variant: "blue", variant_id: 2, weight: 3, from: 0.25, to: 1 },
    ],
  });
  const { body } = await call(getResults, world, { params });
  expect(body.results.map(({ users }) => users)).toStrictEqual([0, 0]);
  const assigned = await call(assignVariant, world, { params, body: { user_id: "ann" } });
  expect(assigned.outcome).toBe("created");
  expect(assigned.body.variant).toBe(explained.variant);
});

test("says that a stored variant stays, whatever the weights are now", async () => {
  const world = openWorld();
  await withColours(world, { users: { ann: "red" } });
  await call(updateExperiment, world, { params, body: { weights: { red: 0 } } });
  expect(await explain(world, "ann")).toMatchObject({
    variant: "red",
    source: "stored",
    assigned_at: "2026-11-22T10:00:00.000Z",
    ranges: [{ variant: "blue", from: 0, to: 1 }],
  });
});

test.each([
  [{ traffic: 0 }, "The user's traffic bucket is not below the share taken in."],
  [{ status: "draft" }, "The test does not run: nobody is enrolled."],
])("says why nobody is taken in with %j", async (changes, reason) => {
  const world = openWorld();
  await withColours(world, { changes });
  expect(await explain(world, "ann")).toMatchObject({
    variant: null,
    variant_id: null,
    source: "none",
    reason,
  });
});

test("says that a stopped test shows its winner to everybody", async () => {
  const world = openWorld();
  await withColours(world, { users: { ann: "red" } });
  await call(updateExperiment, world, { params, body: { status: "stopped", winner: "blue" } });
  for (const user of ["ann", "bob"]) {
    expect(await explain(world, user)).toMatchObject({
      variant: "blue",
      value: "blue",
      source: "winner",
      reason: "The test is stopped: everybody is shown its winner.",
      assigned_at: null,
    });
  }
});

test("says that a tester's variant is forced", async () => {
  const world = openWorld();
  await withColours(world);
  await call(updateExperiment, world, { params, body: { forced: { tess: "blue" } } });
  expect(await explain(world, "tess")).toMatchObject({ variant: "blue", source: "forced" });
});

test("asks for a user", async () => {
  const world = openWorld();
  await withColours(world);
  expect(await faultPathsOf(call(explainAssignment, world, { params, query: {} }))).toStrictEqual([
    "invalid",
    "user_id",
  ]);
});
