import { expect, test } from "vitest";
import { createExperiment } from "../../../handlers/experiments/create-experiment.ts";
import { deleteExperiment } from "../../../handlers/experiments/delete-experiment.ts";
import { getExperiment } from "../../../handlers/experiments/get-experiment.ts";
import { getResults } from "../../../handlers/experiments/get-results.ts";
import { trackMetric } from "../../../handlers/experiments/metrics/track-metric.ts";
import { call, colours, openWorld, refusalOf, withColours } from "../../world.ts";

const params = { test_id: "1" };

test("deletes the test with all its rows, and its name is free again", async () => {
  const world = openWorld();
  await withColours(world, { users: { ann: "red" } });
  await call(trackMetric, world, { params, body: { user_id: "ann", metric_name: "sales" } });
  expect(await call(deleteExperiment, world, { params })).toStrictEqual({
    outcome: "deleted",
    body: undefined,
  });
  for (const gone of [getExperiment, getResults, deleteExperiment]) {
    expect((await refusalOf(call(gone, world, { params }))).code).toBe("not_found");
  }
  const { body } = await call(createExperiment, world, { body: colours });
  expect(body.test_id).toBe(2);
  const results = await call(getResults, world, { params: { test_id: "2" } });
  expect(results.body.results.map(({ users, metrics }) => ({ users, metrics }))).toStrictEqual([
    { users: 0, metrics: [] },
    { users: 0, metrics: [] },
  ]);
});
