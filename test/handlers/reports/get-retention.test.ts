import { describe, expect, test } from "vitest";
import { getRetention } from "../../../handlers/reports/get-retention.ts";
import { call, faultPathsOf, openEdge, openWorld } from "../../world.ts";
import { META, track } from "../experiments/tracked.ts";

const on = (day: number, event_type: string, user_id: string) => ({
  event_type,
  user_id,
  timestamp: `2026-11-${String(day).padStart(2, "0")}T08:00:00Z`,
});

const HISTORY = [
  on(1, "signup", "old"),
  on(19, "signup", "old"),
  on(19, "signup", "ann"),
  on(19, "visit", "ann"),
  on(20, "signup", "ann"),
  on(21, "visit", "ann"),
  on(20, "signup", "bob"),
  on(22, "visit", "bob"),
  { event_type: "signup", timestamp: "2026-11-20T09:00:00Z" },
];

const QUERY = {
  event_type: "signup",
  return_event_type: "visit",
  interval: "day",
  from: "2026-11-19",
  periods: "3",
};

async function asked(query: object) {
  const world = openWorld();
  await track(world, ...HISTORY);
  return (await call(getRetention, world, { query })).body;
}

const cohort = (day: number, users: number, returned: number[], unfinished: number | null) => ({
  start: `2026-11-${day}T00:00:00.000Z`,
  users,
  returned,
  unfinished,
});

describe("retention", () => {
  test("shows new and returning users by day, and marks the current day", async () => {
    expect(await asked(QUERY)).toStrictEqual({
      event_type: "signup",
      return_event_type: "visit",
      cohort: "first",
      interval: "day",
      timezone: "UTC",
      from: "2026-11-19T00:00:00.000Z",
      to: "2026-11-23T00:00:00.000Z",
      periods: 3,
      cohorts: [
        cohort(19, 1, [1, 0, 1], null),
        cohort(20, 1, [0, 0, 1], 2),
        cohort(21, 0, [0, 0], 1),
        cohort(22, 0, [0], 0),
      ],
      meta: META,
    });
  });

  test("with recurring cohorts counts a user in every period with an event", async () => {
    const { cohorts } = await asked({ ...QUERY, cohort: "recurring" });
    expect(cohorts.map(({ users, returned }) => [users, returned])).toEqual([
      [2, [1, 0, 1]],
      [2, [0, 1, 1]],
      [0, [0, 0]],
      [0, [0]],
    ]);
  });

  test("covers any event in the weeks of the last thirty days by default", async () => {
    const { cohorts, ...rest } = await asked({});
    expect(rest).toStrictEqual({
      event_type: null,
      return_event_type: null,
      cohort: "first",
      interval: "week",
      timezone: "UTC",
      from: "2026-10-19T00:00:00.000Z",
      to: "2026-11-23T00:00:00.000Z",
      periods: 8,
      meta: META,
    });
    expect(cohorts.map(({ users, returned, unfinished }) => [users, returned, unfinished])).toEqual([
      [0, [0, 0, 0, 0, 0], 4],
      [1, [1, 0, 0, 1], 3],
      [0, [0, 0, 0], 2],
      [0, [0, 0], 1],
      [2, [2], 0],
    ]);
  });

  test("follows a cohort beyond the range of the query", async () => {
    const { cohorts } = await asked({ ...QUERY, to: "2026-11-19" });
    expect(cohorts).toEqual([cohort(19, 1, [1, 0, 1], null)]);
  });

  test("counts days in local time of the zone", async () => {
    const { cohorts } = await asked({
      ...QUERY,
      timezone: "Pacific/Auckland",
      from: "2026-11-20",
      to: "2026-11-20",
    });
    expect(cohorts.map(({ start, users }) => [start, users])).toEqual([["2026-11-19T11:00:00.000Z", 1]]);
  });

  test("over HTTP with ?verify=1 states that a second answer is equal", async () => {
    const { world, send } = openEdge();
    await track(world, ...HISTORY);
    const { status, body } = await send({
      path: "/apiv1/events/retention?interval=day&from=2026-11-19&verify=1",
    });
    const { meta } = body as { meta: { source: string; verification?: unknown } };
    expect(status).toBe(200);
    if (meta.source === "rollup") expect(meta.verification).toEqual({ ok: true, differences: [] });
  });
});

describe("an invalid retention query", () => {
  test.each<[string, object, string]>([
    ["an unknown parameter", { step: "visit" }, "step"],
    ["an unknown kind of cohort", { cohort: "last" }, "cohort"],
    ["the interval hour", { interval: "hour" }, "interval"],
    ["no periods", { periods: "0" }, "periods"],
    ["27 periods", { periods: "27" }, "periods"],
    ["two types", { event_type: ["signup", "visit"] }, "event_type"],
    ["an unknown zone", { timezone: "Mars/Olympus" }, "timezone"],
    ["an impossible range", { from: "2026-11-22", to: "2026-11-21" }, "from"],
    ["more than four hundred cohorts", { interval: "day", from: "2025-01-01" }, "interval"],
  ])("a query with %s is refused with the path", async (_name, query, path) => {
    expect(await faultPathsOf(call(getRetention, openWorld(), { query }))).toEqual(["invalid", path]);
  });
});
