import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { assignVariant } from "../../../../handlers/experiments/assignments/assign-variant.ts";
import { importAssignments } from "../../../../handlers/experiments/assignments/import-assignments.ts";
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
  usersOf,
  withColours,
} from "../../../world.ts";

const params = { test_id: "1" };
const assign = (world: TestWorld, user_id: string) =>
  call(assignVariant, world, { params, body: { user_id } });

/** The hash of the contract, written apart from the server's: top 53 bits of SHA-256(salt ‖ 0 ‖ user) over 2⁵³. */
function place(salt: string, user: string): number {
  const hex = createHash("sha256").update(`${salt}\0${user}`).digest("hex").slice(0, 16);
  return Number(BigInt(`0x${hex}`) >> 11n) / 2 ** 53;
}

test("a user is given the variant that the hash says, as created, and has it for ever", async () => {
  const world = openWorld();
  await withColours(world);
  const variant = place("salt-1:variant", "ann") < 0.5 ? "red" : "blue";
  const body = {
    user_id: "ann",
    test_id: 1,
    variant,
    variant_id: variant === "red" ? 1 : 2,
    value: variant,
    assigned_at: "2026-11-22T10:00:00.000Z",
  };
  expect(await assign(world, "ann")).toStrictEqual({ outcome: "created", body });
  world.advance(90 * MINUTE);
  expect(await assign(world, "ann")).toStrictEqual({ outcome: "ok", body });
});

test("the stored variant wins over what the hash says", async () => {
  const world = openWorld();
  const hashed = place("salt-1:variant", "ann") < 0.5 ? "red" : "blue";
  const other = hashed === "red" ? "blue" : "red";
  await withColours(world, { users: { ann: other } });
  const { outcome, body } = await assign(world, "ann");
  expect([outcome, body.variant]).toEqual(["ok", other]);
});

test("every user of a hundred is where the hash and the weights put them", async () => {
  const world = openWorld();
  const weights = { red: 1, blue: 2, plain: 1 };
  const variants = Object.entries(weights).map(([variant_name, weight]) => ({ variant_name, weight }));
  await withColours(world, { changes: { variants } });
  for (let n = 0; n < 100; n += 1) {
    const u = place("salt-1:variant", `user-${n}`);
    const expected = u < 0.25 ? "red" : u < 0.75 ? "blue" : "plain";
    expect((await assign(world, `user-${n}`)).body.variant).toBe(expected);
  }
});

test("a variant of weight 0 is given to nobody", async () => {
  const world = openWorld();
  const variants = [{ variant_name: "red", weight: 0 }, { variant_name: "blue" }];
  await withColours(world, { changes: { variants } });
  for (let n = 0; n < 50; n += 1) expect((await assign(world, `user-${n}`)).body.variant).toBe("blue");
});

test("who is outside the traffic is not enrolled, told so, and told the same again", async () => {
  const world = openWorld();
  await withColours(world, { changes: { traffic: 0 } });
  const outside = {
    outcome: "ok",
    body: { user_id: "ann", test_id: 1, variant: null, value: null, reason: "not_in_traffic" },
  };
  expect(await assign(world, "ann")).toStrictEqual(outside);
  expect(await assign(world, "ann")).toStrictEqual(outside);
});

test("half the traffic is the half that the traffic's own hash says", async () => {
  const world = openWorld();
  await withColours(world, { changes: { traffic: 0.5 } });
  for (let n = 0; n < 100; n += 1) {
    const { body } = await assign(world, `user-${n}`);
    expect(body.variant !== null).toBe(place("salt-1:traffic", `user-${n}`) < 0.5);
  }
});

test("who was enrolled elsewhere keeps the variant though the traffic is 0", async () => {
  const world = openWorld();
  await withColours(world, { changes: { traffic: 0 }, users: { ann: "blue" } });
  expect((await assign(world, "ann")).body.variant).toBe("blue");
});

const notRunning = {
  outcome: "ok",
  body: { user_id: "ann", test_id: 1, variant: null, value: null, reason: "not_running" },
};

test("a draft enrols nobody until it runs", async () => {
  const world = openWorld();
  await withColours(world, { changes: { status: "draft" } });
  expect(await assign(world, "ann")).toStrictEqual(notRunning);
  await call(updateExperiment, world, { params, body: { status: "running" } });
  expect((await assign(world, "ann")).outcome).toBe("created");
});

const shownTo = (user_id: string, variant: string, reason: string) => ({
  outcome: "ok",
  body: { user_id, test_id: 1, variant, value: variant, reason },
});

test("a test that was stopped with a winner shows it to everybody and enrols nobody", async () => {
  const world = openWorld();
  await withColours(world, { users: { bob: "red" } });
  await call(updateExperiment, world, { params, body: { forced: { tess: "red" } } });
  await call(updateExperiment, world, { params, body: { status: "stopped", winner: "blue" } });
  for (const user of ["ann", "bob", "tess"])
    expect(await assign(world, user)).toStrictEqual(shownTo(user, "blue", "winner"));
  expect(await world.storage.findAssignment(1, "ann")).toBeUndefined();
});

test("a winner that is named later is shown from then on, the control until then", async () => {
  const world = openWorld();
  await withColours(world, { users: { bob: "blue" } });
  await call(updateExperiment, world, { params, body: { status: "stopped" } });
  expect(await assign(world, "bob")).toStrictEqual(shownTo("bob", "red", "stopped"));
  await call(updateExperiment, world, { params, body: { winner: "blue" } });
  expect(await assign(world, "bob")).toStrictEqual(shownTo("bob", "blue", "winner"));
});

test("an archived test enrols nobody and shows its winner no more", async () => {
  const world = openWorld();
  await withColours(world);
  await call(updateExperiment, world, { params, body: { status: "stopped", winner: "blue" } });
  await call(updateExperiment, world, { params, body: { status: "archived" } });
  expect(await assign(world, "ann")).toStrictEqual(notRunning);
});

test("a paused test enrols nobody, and its users keep their variants and count", async () => {
  const world = openWorld();
  await withColours(world, { users: { bob: "blue" } });
  await call(updateExperiment, world, { params, body: { status: "paused" } });
  expect(await assign(world, "ann")).toStrictEqual({
    outcome: "ok",
    body: { user_id: "ann", test_id: 1, variant: null, value: null, reason: "paused" },
  });
  expect((await assign(world, "bob")).body.variant).toBe("blue");
  const tracked = await call(trackMetric, world, { params, body: { user_id: "bob", metric_name: "m" } });
  expect(tracked.body).toStrictEqual({ success: true, id: 1, variant: "blue", counted: true });
  await call(updateExperiment, world, { params, body: { status: "running" } });
  expect((await assign(world, "ann")).outcome).toBe("created");
});

test("a test with all its planned users shows others what the hash gives, and does not count them", async () => {
  const world = openWorld();
  await withColours(world, { changes: { planned_users: 100 } });
  for (let n = 0; n < 100; n += 1) expect((await assign(world, `user-${n}`)).outcome).toBe("created");
  const variant = place("salt-1:variant", "ann") < 0.5 ? "red" : "blue";
  expect(await assign(world, "ann")).toStrictEqual(shownTo("ann", variant, "complete"));
  expect((await assign(world, "user-0")).body).toHaveProperty("assigned_at");
  const cells = await world.storage.experimentCells(1);
  expect(cells?.planned_users_reached_at).toBe(NOW);
  expect(cells?.cells.reduce((sum, { users }) => sum + users, 0)).toBe(100);
});

test("a test with a date to stop at shows others what the hash gives afterwards, until somebody decides", async () => {
  const world = openWorld();
  await withColours(world, { changes: { stop_at: NOW + MINUTE }, users: { bob: "red" } });
  world.advance(MINUTE + 1);
  const variant = place("salt-1:variant", "ann") < 0.5 ? "red" : "blue";
  expect(await assign(world, "ann")).toStrictEqual(shownTo("ann", variant, "complete"));
  const tracked = await call(trackMetric, world, { params, body: { user_id: "bob", metric_name: "m" } });
  expect(tracked.body).toMatchObject({ counted: false, reason: "after_stop" });
});

test("a variant stands for any JSON", async () => {
  const world = openWorld();
  const value = { colour: "#f00", sizes: [1, 2] };
  const variants = [
    { variant_name: "red", value },
    { variant_name: "blue", weight: 0 },
  ];
  await withColours(world, { changes: { variants } });
  expect((await assign(world, "ann")).body).toMatchObject({ variant: "red", value });
});

test("two tests of an exclusion group never enrol the same user, and together enrol all", async () => {
  const world = openWorld();
  await withColours(world, { changes: { exclusion_group: "buttons" } });
  await withColours(world, { changes: { test_name: "second", exclusion_group: "buttons" } });
  for (let n = 0; n < 100; n += 1) {
    const first = await assign(world, `user-${n}`);
    const second = await call(assignVariant, world, {
      params: { test_id: "2" },
      body: { user_id: `user-${n}` },
    });
    expect([first.outcome, second.outcome].sort()).toEqual(["created", "ok"]);
    const refused = first.outcome === "ok" ? first : second;
    expect(refused.body).toMatchObject({ variant: null, value: null, reason: "excluded" });
  }
});

test("a user of the holdout is enrolled in no test that has one", async () => {
  const world = openWorld();
  await withColours(world, { changes: { holdout: 0.5 } });
  await withColours(world, { changes: { test_name: "second", holdout: 0.5 } });
  for (let n = 0; n < 60; n += 1) {
    const user_id = `user-${n}`;
    const held = place("holdout:everybody", user_id) < 0.5;
    const first = await assign(world, user_id);
    const second = await call(assignVariant, world, { params: { test_id: "2" }, body: { user_id } });
    const expected = held ? "ok" : "created";
    expect([first.outcome, second.outcome]).toEqual([expected, expected]);
    if (held) expect(first.body).toMatchObject({ variant: null, reason: "holdout" });
  }
});

test("a change of the weights moves nobody who has a variant", async () => {
  const world = openWorld();
  await withColours(world);
  const users = Array.from({ length: 40 }, (_, n) => `user-${n}`);
  const variants = () => Promise.all(users.map(async (user) => (await assign(world, user)).body.variant));
  const before = await variants();
  expect(new Set(before)).toEqual(new Set(["red", "blue"]));
  await call(updateExperiment, world, { params, body: { weights: { red: 0 } } });
  expect(await variants()).toEqual(before);
  expect((await assign(world, "somebody new")).body.variant).toBe("blue");
});

test("two hundred parallel requests of one user are given one variant, and one of them created it", async () => {
  const world = openWorld();
  await withColours(world);
  const answers = await Promise.all(Array.from({ length: 200 }, () => assign(world, "ann")));
  expect(answers.filter(({ outcome }) => outcome === "created")).toHaveLength(1);
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(usersOf(await world.storage.experimentCells(1))).toBe(1);
});

test("a user is another user in another test", async () => {
  const world = openWorld();
  await withColours(world);
  await withColours(world, { changes: { test_name: "second" } });
  await assign(world, "ann");
  const { outcome, body } = await call(assignVariant, world, {
    params: { test_id: "2" },
    body: { user_id: "ann" },
  });
  expect([outcome, body.test_id]).toEqual(["created", 2]);
});

test("an imported time of assignment is what is answered", async () => {
  const world = openWorld();
  await withColours(world);
  const imported = [{ user_id: "ann", variant: "blue", assigned_at: "2020-01-01T00:00:00+01:00" }];
  await call(importAssignments, world, { params, body: imported });
  expect(await assign(world, "ann")).toStrictEqual({
    outcome: "ok",
    body: {
      user_id: "ann",
      test_id: 1,
      variant: "blue",
      variant_id: 2,
      value: "blue",
      assigned_at: "2019-12-31T23:00:00.000Z",
    },
  });
});

test("a test that is not there assigns nobody", async () => {
  const answer = assign(openWorld(), "ann");
  expect(await refusalOf(answer)).toEqual({
    code: "not_found",
    detail: "There is no A/B test 1. GET /apiv1/ab-tests lists those there are.",
    errors: [],
  });
});

test.each<[string, unknown, string]>([
  ["no body", undefined, ""],
  ["no user", {}, "user_id"],
  ["a user that is null", { user_id: null }, "user_id"],
  ["a user that is a number", { user_id: 1 }, "user_id"],
  ["an empty user", { user_id: "" }, "user_id"],
  ["a blank user", { user_id: "\t" }, "user_id"],
  ["a user of 201 characters", { user_id: "u".repeat(201) }, "user_id"],
  ["a field too many", { user_id: "ann", variant: "red" }, "variant"],
])("%s is refused, and nobody is assigned", async (_name, body, path) => {
  const world = openWorld();
  await withColours(world);
  expect(await faultPathsOf(call(assignVariant, world, { params, body }))).toEqual(["invalid", path]);
  expect(usersOf(await world.storage.experimentCells(1))).toBe(0);
});
