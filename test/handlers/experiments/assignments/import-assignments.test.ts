import { expect, test } from "vitest";
import { BrokenLine } from "../../../../handlers/contract/batch.ts";
import { importAssignments } from "../../../../handlers/experiments/assignments/import-assignments.ts";
import { updateExperiment } from "../../../../handlers/experiments/update-experiment.ts";
import {
  call,
  faultPathsOf,
  MINUTE,
  NOW,
  openWorld,
  refusalOf,
  type TestWorld,
  usersOf,
  withColours,
} from "../../../world.ts";

const params = { test_id: "1" };
const importing = (world: TestWorld, body: unknown, minimal = false) =>
  call(importAssignments, world, { params, body, minimal });

async function openColours(): Promise<TestWorld> {
  const world = openWorld();
  await withColours(world);
  return world;
}

test("assignments made elsewhere are stored under their variants, at their times", async () => {
  const world = await openColours();
  const body = [
    { user_id: "ann", variant: "red", assigned_at: "2026-01-02T03:04:05.678Z" },
    { user_id: "bob", variant: "blue" },
  ];
  expect(await importing(world, body)).toStrictEqual({
    outcome: "created",
    body: {
      success: true,
      accepted: 2,
      duplicates: 0,
      rejected: 0,
      results: [
        { success: true, variant: "red", variant_id: 1 },
        { success: true, variant: "blue", variant_id: 2 },
      ],
    },
  });
  expect(await world.storage.findAssignment(1, "ann")).toEqual({
    user_id: "ann",
    variant_id: 1,
    assigned_at: Date.parse("2026-01-02T03:04:05.678Z"),
    forced: false,
  });
  expect((await world.storage.findAssignment(1, "bob"))?.assigned_at).toBe(NOW);
});

test("an import that is sent again changes nothing and is answered with duplicates", async () => {
  const world = await openColours();
  await importing(world, [{ user_id: "ann", variant: "red" }]);
  world.advance(MINUTE);
  expect(await importing(world, { assignments: [{ user_id: "ann", variant: "red" }] })).toStrictEqual({
    outcome: "created",
    body: {
      success: true,
      accepted: 0,
      duplicates: 1,
      rejected: 0,
      results: [{ success: true, variant: "red", variant_id: 1, duplicate: true }],
    },
  });
  expect((await world.storage.findAssignment(1, "ann"))?.assigned_at).toBe(NOW);
});

test("a user who has another variant keeps it, and that line of the import is refused alone", async () => {
  const world = await openColours();
  await importing(world, [{ user_id: "ann", variant: "red" }]);
  const body = [
    { user_id: "ann", variant: "blue" },
    { user_id: "bob", variant: "blue" },
    { user_id: "bob", variant: "red" },
    { user_id: "cyd", variant: "green" },
    { user_id: "dan", variant: "red", assigned_at: NOW + 61 * MINUTE },
    new BrokenLine(6),
  ];
  expect(await importing(world, body)).toStrictEqual({
    outcome: "partial",
    body: {
      success: true,
      accepted: 1,
      duplicates: 0,
      rejected: 5,
      results: [
        {
          success: false,
          errors: [{ path: "variant", message: 'this user has been assigned to "red" already' }],
        },
        { success: true, variant: "blue", variant_id: 2 },
        {
          success: false,
          errors: [{ path: "variant", message: 'this user has been assigned to "blue" already' }],
        },
        {
          success: false,
          errors: [{ path: "variant", message: "must be one of this test's variants: red, blue" }],
        },
        {
          success: false,
          errors: [
            {
              path: "assigned_at",
              message:
                "must not be more than one hour ahead of the server's clock, which shows 2026-11-22T10:00:00.000Z",
            },
          ],
        },
        { success: false, errors: [{ path: "", message: "line 6 is not JSON" }] },
      ],
    },
  });
  expect(usersOf(await world.storage.experimentCells(1))).toBe(2);
});

test("a minimal answer lists the refused alone", async () => {
  const body = [
    { user_id: "ann", variant: "red" },
    { user_id: "ann", variant: "blue" },
  ];
  expect((await importing(await openColours(), body, true)).body).toStrictEqual({
    success: true,
    accepted: 1,
    duplicates: 0,
    rejected: 1,
    results: [
      {
        success: false,
        index: 1,
        errors: [{ path: "variant", message: 'this user has been assigned to "red" already' }],
      },
    ],
  });
});

test("an import in which nothing holds is refused as a whole", async () => {
  const world = await openColours();
  await importing(world, [{ user_id: "ann", variant: "red" }]);
  const body = [
    { user_id: "ann", variant: "blue" },
    { user_id: "", variant: "red" },
  ];
  expect(await refusalOf(importing(world, body))).toEqual({
    code: "invalid",
    detail: "The batch has 2 faults; nothing was stored. See errors.",
    errors: [
      { path: "[0].variant", message: 'this user has been assigned to "red" already' },
      { path: "[1].user_id", message: "must not be blank" },
    ],
  });
});

test("a sender whose clock runs ahead has its times set back by as much", async () => {
  const world = await openColours();
  const ahead = 300 * MINUTE;
  const assignments = [{ user_id: "ann", variant: "red", assigned_at: NOW + ahead - 1 }];
  await importing(world, { assignments, sent_at: NOW + ahead });
  expect((await world.storage.findAssignment(1, "ann"))?.assigned_at).toBe(NOW - 1);
});

test.each<[string, unknown, string[]]>([
  ["an empty list", [], [""]],
  ["a single assignment", { user_id: "ann", variant: "red" }, [""]],
  ["nothing in an assignment", [{}], ["[0].user_id", "[0].variant"]],
  ["a variant's id in place of its name", [{ user_id: "ann", variant: 1 }], ["[0].variant"]],
  ["a variant in other letters", [{ user_id: "ann", variant: "Red" }], ["[0].variant"]],
  [
    "a time without its zone",
    [{ user_id: "ann", variant: "red", assigned_at: "2026-01-01" }],
    ["[0].assigned_at"],
  ],
  ["a misspelt field", [{ user_id: "ann", variant: "red", asigned_at: NOW }], ["[0].asigned_at"]],
])("%s is refused, and nobody is assigned", async (_name, body, paths) => {
  const world = await openColours();
  expect(await faultPathsOf(importing(world, body))).toEqual(["invalid", ...paths]);
  expect(usersOf(await world.storage.experimentCells(1))).toBe(0);
});

test("2,001 assignments are too many", async () => {
  const body = Array.from({ length: 2_001 }, (_, n) => ({ user_id: `user-${n}`, variant: "red" }));
  const world = await openColours();
  expect(await faultPathsOf(importing(world, body))).toEqual(["too_large"]);
  expect(usersOf(await world.storage.experimentCells(1))).toBe(0);
});

test("nothing is imported into a test that is not there", async () => {
  expect(await faultPathsOf(importing(openWorld(), [{ user_id: "ann", variant: "red" }]))).toEqual([
    "not_found",
  ]);
});

test("a test that has ended takes no more users", async () => {
  const world = await openColours();
  await call(updateExperiment, world, { params, body: { status: "stopped" } });
  expect(await refusalOf(importing(world, [{ user_id: "ann", variant: "red" }]))).toEqual({
    code: "conflict",
    detail: "This A/B test is stopped: its result stays as it is.",
    errors: [],
  });
  expect(await world.storage.findAssignment(1, "ann")).toBeUndefined();
});
