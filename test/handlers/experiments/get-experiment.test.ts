import { expect, test } from "vitest";
import { getExperiment } from "../../../handlers/experiments/get-experiment.ts";
import { call, coloursReply, faultPathsOf, MINUTE, openWorld, refusalOf, withColours } from "../../world.ts";

test("a test is shown as it was created, whenever it is asked for", async () => {
  const world = openWorld();
  await withColours(world);
  world.advance(MINUTE);
  expect(await call(getExperiment, world, { params: { test_id: "1" } })).toStrictEqual({
    outcome: "ok",
    body: coloursReply(),
  });
});

test("a test that is not there is refused in words that say where to look", async () => {
  const world = openWorld();
  await withColours(world);
  expect(await refusalOf(call(getExperiment, world, { params: { test_id: "2" } }))).toEqual({
    code: "not_found",
    detail: "There is no A/B test 2. GET /apiv1/ab-tests lists those there are.",
    errors: [],
  });
});

test.each(["0", "-1", "1.0", "1e0", "01", "+1", " 1", "one", "", "null", "1234567890123456"])(
  "%j is no id of a test",
  async (test_id) => {
    const world = openWorld();
    await withColours(world);
    expect(await faultPathsOf(call(getExperiment, world, { params: { test_id } }))).toEqual([
      "invalid",
      "test_id",
    ]);
  },
);
