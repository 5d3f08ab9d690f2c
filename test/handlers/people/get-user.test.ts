import { expect, test } from "vitest";
import { createExperiment } from "../../../handlers/experiments/create-experiment.ts";
import { eraseUser } from "../../../handlers/people/erase-user.ts";
import { getUser } from "../../../handlers/people/get-user.ts";
import { linkUsers } from "../../../handlers/people/link-users.ts";
import { call, MINUTE, openWorld, refusalOf, type TestWorld } from "../../world.ts";
import { track } from "../experiments/tracked.ts";

const profileOf = async (world: TestWorld, user_id: string) =>
  (await call(getUser, world, { params: { user_id } })).body;

const event = (id: number, event_type: string, user_id: string, time: string) => ({
  id,
  event_type,
  user_id,
  session_id: null,
  properties: null,
  timestamp: time,
  client_timestamp: null,
  created_at: time,
});

/** Ann looks on her phone, where she is in an experiment, and buys after her login. */
async function shop(): Promise<TestWorld> {
  const world = openWorld();
  const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
  await call(createExperiment, world, { body: { test_name: "button", variants } });
  await world.storage.assign(1, [{ user_id: "phone", variant_id: 2, assigned_at: world.now() }]);
  await track(world, { event_type: "view", user_id: "phone" });
  world.advance(MINUTE);
  await call(linkUsers, world, { body: { anonymous_id: "phone", user_id: "ann" } });
  await track(world, { event_type: "buy", user_id: "ann" });
  world.advance(MINUTE);
  await track(world, { event_type: "view", user_id: "ann" }, { event_type: "view", user_id: "bob" });
  return world;
}

test("a profile has everything about a person, under any of their ids", async () => {
  const world = await shop();
  const profile = {
    user_id: "ann",
    links: [{ anonymous_id: "phone", linked_at: "2026-11-22T10:01:00.000Z" }],
    first_seen: "2026-11-22T10:00:00.000Z",
    last_seen: "2026-11-22T10:02:00.000Z",
    event_count: 3,
    all_counted: true,
    event_types: [
      { event_type: "view", count: 2 },
      { event_type: "buy", count: 1 },
    ],
    variants: [
      {
        test_id: 1,
        test_name: "button",
        user_id: "phone",
        variant: "blue",
        assigned_at: "2026-11-22T10:00:00.000Z",
      },
    ],
    recent_events: [
      event(3, "view", "ann", "2026-11-22T10:02:00.000Z"),
      event(2, "buy", "ann", "2026-11-22T10:01:00.000Z"),
      event(1, "view", "phone", "2026-11-22T10:00:00.000Z"),
    ],
  };
  expect(await profileOf(world, "ann")).toStrictEqual(profile);
  expect(await profileOf(world, "phone")).toStrictEqual(profile);
});

test("a profile counts all events, and shows the twenty newest", async () => {
  const world = openWorld();
  const events = Array.from({ length: 1_999 }, () => ({ event_type: "view", user_id: "ann" }));
  await track(world, { event_type: "first", user_id: "ann" }, ...events);
  const profile = await profileOf(world, "ann");
  expect(profile).toMatchObject({ event_count: 2_000, all_counted: true });
  expect(profile.event_types).toEqual([
    { event_type: "view", count: 1_999 },
    { event_type: "first", count: 1 },
  ]);
  expect(profile.recent_events.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, n) => 2_000 - n));
});

test("a user of whom nothing is stored has no profile, nor has one who was erased", async () => {
  const world = await shop();
  const refusal = { code: "not_found", detail: "Nothing is stored about this user.", errors: [] };
  expect(await refusalOf(profileOf(world, "nobody"))).toEqual(refusal);
  await call(eraseUser, world, { params: { user_id: "phone" } });
  expect(await refusalOf(profileOf(world, "ann"))).toEqual(refusal);
});
