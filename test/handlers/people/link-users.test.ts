import { describe, expect, test } from "vitest";
import { linkUsers } from "../../../handlers/people/link-users.ts";
import { computeFunnel } from "../../../handlers/reports/compute-funnel.ts";
import { getRetention } from "../../../handlers/reports/get-retention.ts";
import { getTrend } from "../../../handlers/reports/get-trend.ts";
import { listEvents } from "../../../handlers/reports/list-events.ts";
import { call, openWorld, refusalOf, type TestWorld } from "../../world.ts";
import { track } from "../experiments/tracked.ts";

const link = (world: TestWorld, anonymous_id: string, user_id: string) =>
  call(linkUsers, world, { body: { anonymous_id, user_id } });

/** The refusal's code, and the path and message of its one fault. */
async function faultOf(answer: Promise<unknown>): Promise<string> {
  const { code, errors } = await refusalOf(answer);
  return `${code}: ${errors.map(({ path, message }) => `${path} ${message}`).join(", ")}`;
}

const DAY = { from: "2026-11-22", to: "2026-11-22" };
const steps = [{ event_type: "view" }, { event_type: "signup" }, { event_type: "buy" }];

const stepsOf = async (world: TestWorld) =>
  (await call(computeFunnel, world, { body: { steps, ...DAY, verify: true } })).body;

describe("linking two ids", () => {
  test("is answered with the link, and again with the same link", async () => {
    const world = openWorld();
    const body = {
      success: true,
      anonymous_id: "anon-1",
      user_id: "ann",
      linked_at: "2026-11-22T10:00:00.000Z",
    };
    expect(await link(world, "anon-1", "ann")).toStrictEqual({ outcome: "created", body });
    world.advance(60_000);
    expect(await link(world, "anon-1", "ann")).toStrictEqual({ outcome: "ok", body });
  });

  test("is refused where it contradicts a stored link", async () => {
    const world = openWorld();
    await link(world, "anon-1", "ann");
    expect([
      await faultOf(link(world, "anon-1", "bob")),
      await faultOf(link(world, "ann", "bob")),
      await faultOf(link(world, "anon-2", "anon-1")),
      await faultOf(link(world, "ann", "ann")),
    ]).toEqual([
      "conflict: anonymous_id is linked to another user_id; start with a new anonymous id at logout",
      "conflict: anonymous_id is a user_id that other ids are linked to, and cannot be linked as an anonymous id",
      "conflict: user_id is linked to a user_id itself; link to that user_id",
      "invalid: anonymous_id must differ from user_id",
    ]);
  });

  test("leaves no trace where it is refused", async () => {
    const world = openWorld();
    await link(world, "anon-1", "ann");
    await refusalOf(link(world, "anon-1", "bob"));
    expect((await link(world, "bob", "cyd")).outcome).toBe("created");
  });

  test("is stored once by contradicting requests at the same time", async () => {
    const world = openWorld();
    const claims = ["ann", "bob", "cyd", "dan"].map((user) => link(world, "anon-1", user));
    const settled = await Promise.allSettled(claims);
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("ends at a thousand anonymous ids of one user", async () => {
    const world = openWorld();
    const ids = Array.from({ length: 1_000 }, (_, n) => `anon-${n}`);
    await Promise.all(ids.map((id) => link(world, id, "ann")));
    expect(await faultOf(link(world, "one more", "ann"))).toBe(
      "conflict: user_id has 1000 anonymous ids, the most that a user may have",
    );
    expect((await link(world, "anon-999", "ann")).outcome).toBe("ok");
  }, 30_000);
});

describe("a visitor who logs in", () => {
  /** Ann looks at a page on two devices and buys after her login; Bob only looks. */
  async function shop(): Promise<TestWorld> {
    const world = openWorld();
    await track(
      world,
      { event_type: "view", user_id: "anon-phone" },
      { event_type: "view", user_id: "anon-laptop" },
      { event_type: "view", user_id: "bob" },
    );
    world.advance(60_000);
    await track(world, { event_type: "signup", user_id: "ann" });
    world.advance(60_000);
    await track(world, { event_type: "buy", user_id: "ann" });
    return world;
  }

  test("is one person in a funnel from the moment of the link", async () => {
    const world = await shop();
    const users = async () => (await stepsOf(world)).steps.map((step) => step.users);
    expect(await users()).toEqual([3, 0, 0]);
    await link(world, "anon-phone", "ann");
    expect(await users()).toEqual([3, 1, 1]);
    await link(world, "anon-laptop", "ann");
    expect(await users()).toEqual([2, 1, 1]);
    expect((await stepsOf(world)).meta.verification).toEqual({ ok: true, differences: [] });
  });

  test("is one person in trends and retention", async () => {
    const world = await shop();
    await link(world, "anon-phone", "ann");
    await link(world, "anon-laptop", "ann");
    const query = { measure: "users", ...DAY, verify: "1" };
    const { body } = await call(getTrend, world, { query });
    expect(body.series.map(({ total }) => total)).toEqual([2]);
    const retention = await call(getRetention, world, { query: { interval: "day", ...DAY, periods: "1" } });
    expect(retention.body.cohorts.map(({ users }) => users)).toEqual([2]);
  });

  test("has the events of all their ids in the list by any one of them, as they were stored", async () => {
    const world = await shop();
    await link(world, "anon-phone", "ann");
    const idsOf = async (user_id: string) =>
      (await call(listEvents, world, { query: { user_id } })).body.events.map((event) => event.user_id);
    expect(await idsOf("ann")).toEqual(["ann", "ann", "anon-phone"]);
    expect(await idsOf("anon-phone")).toEqual(["ann", "ann", "anon-phone"]);
    expect(await idsOf("anon-laptop")).toEqual(["anon-laptop"]);
  });
});
