import { expect, test } from "vitest";
import { assignEverywhere } from "../../../../handlers/experiments/assignments/assign-everywhere.ts";
import { assignVariant } from "../../../../handlers/experiments/assignments/assign-variant.ts";
import { createExperiment } from "../../../../handlers/experiments/create-experiment.ts";
import { updateExperiment } from "../../../../handlers/experiments/update-experiment.ts";
import { call, colours, openWorld, withColours } from "../../../world.ts";

test("gives a user's variant in every running test, the newest first, and stores it", async () => {
  const world = openWorld();
  await withColours(world, { users: { ann: "red" } });
  await call(createExperiment, world, { body: { ...colours, test_name: "closed", traffic: 0 } });
  await call(createExperiment, world, { body: { ...colours, test_name: "draft", status: "draft" } });
  await call(createExperiment, world, { body: { ...colours, test_name: "open" } });
  const first = await call(assignEverywhere, world, { body: { user_id: "ann" } });
  const stored = await call(assignVariant, world, { params: { test_id: "4" }, body: { user_id: "ann" } });
  expect(stored.outcome).toBe("ok");
  const { user_id: _, ...open } = stored.body;
  expect(first).toStrictEqual({
    outcome: "ok",
    body: {
      user_id: "ann",
      assignments: [
        { ...open, test_name: "open" },
        { test_id: 2, test_name: "closed", variant: null, value: null, reason: "not_in_traffic" },
        {
          test_id: 1,
          test_name: "homepage_button_color",
          variant: "red",
          variant_id: 1,
          value: "red",
          assigned_at: "2026-11-22T10:00:00.000Z",
        },
      ],
    },
  });
  expect(await call(assignEverywhere, world, { body: { user_id: "ann" } })).toStrictEqual(first);
});

test("with enrol: false shows the variants that a user has or would get, and stores none", async () => {
  const world = openWorld();
  await withColours(world, { users: { ann: "red" } });
  await call(createExperiment, world, { body: { ...colours, test_name: "closed", traffic: 0 } });
  await call(createExperiment, world, { body: { ...colours, test_name: "open" } });
  const ask = () => call(assignEverywhere, world, { body: { user_id: "ann", enrol: false } });
  const first = await ask();
  expect(await ask()).toStrictEqual(first);
  const stored = await call(assignVariant, world, { params: { test_id: "3" }, body: { user_id: "ann" } });
  expect(stored.outcome).toBe("created");
  const { user_id: _, assigned_at: __, ...open } = stored.body as Record<string, unknown>;
  expect(first).toStrictEqual({
    outcome: "ok",
    body: {
      user_id: "ann",
      assignments: [
        { ...open, test_name: "open" },
        { test_id: 2, test_name: "closed", variant: null, value: null, reason: "not_in_traffic" },
        {
          test_id: 1,
          test_name: "homepage_button_color",
          variant: "red",
          variant_id: 1,
          value: "red",
          assigned_at: "2026-11-22T10:00:00.000Z",
        },
      ],
    },
  });
});

test("shows the winner of a stopped test, and nothing of a draft or an archived one", async () => {
  const world = openWorld();
  await withColours(world);
  await call(createExperiment, world, { body: { ...colours, test_name: "draft", status: "draft" } });
  const change = (body: object) => call(updateExperiment, world, { params: { test_id: "1" }, body });
  await change({ status: "stopped", winner: "blue" });
  const shown = async () =>
    (await call(assignEverywhere, world, { body: { user_id: "ann" } })).body.assignments;
  expect(await shown()).toStrictEqual([
    {
      test_id: 1,
      test_name: "homepage_button_color",
      variant: "blue",
      value: "blue",
      reason: "winner",
    },
  ]);
  await change({ status: "archived" });
  expect(await shown()).toStrictEqual([]);
});
