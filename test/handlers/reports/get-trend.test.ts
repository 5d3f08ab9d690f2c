import { describe, expect, test } from "vitest";
import { getTrend } from "../../../handlers/reports/get-trend.ts";
import { call, faultPathsOf, openEdge, openWorld, refusalOf } from "../../world.ts";
import { META, track } from "../experiments/tracked.ts";

const event = (timestamp: string, changes: object = {}) => ({ event_type: "view", timestamp, ...changes });

const HISTORY = [
  event("2026-11-20T08:00:00Z", { user_id: "ann", session_id: "s1", properties: { plan: "pro", size: 5 } }),
  event("2026-11-20T09:00:00Z", { user_id: "ann", session_id: "s2", properties: { plan: "pro", size: "5" } }),
  event("2026-11-22T09:00:00Z", { user_id: "ann", session_id: "s2", properties: { plan: "free" } }),
  event("2026-11-22T09:30:00Z", { user_id: "bob", event_type: "buy" }),
  event("2026-11-19T23:59:59.999Z", { user_id: "cem" }),
];

const DAYS = { from: "2026-11-20", to: "2026-11-22" };

async function asked(query: object) {
  const world = openWorld();
  await track(world, ...HISTORY);
  return (await call(getTrend, world, { query })).body;
}

const seriesOf = async (query: object) => (await asked({ ...DAYS, ...query })).series;

describe("a trend", () => {
  test("counts events by day, and marks the current day", async () => {
    expect(await asked(DAYS)).toStrictEqual({
      measure: "count",
      interval: "day",
      timezone: "UTC",
      from: "2026-11-20T00:00:00.000Z",
      to: "2026-11-23T00:00:00.000Z",
      breakdown: null,
      buckets: [
        { start: "2026-11-20T00:00:00.000Z", complete: true },
        { start: "2026-11-21T00:00:00.000Z", complete: true },
        { start: "2026-11-22T00:00:00.000Z", complete: false },
      ],
      series: [{ event_type: null, total: 4, values: [2, 0, 2] }],
      meta: META,
    });
  });

  test("covers the last thirty days by default", async () => {
    const { buckets, series } = await asked({});
    expect(buckets).toHaveLength(30);
    expect(series).toMatchObject([{ total: 5 }]);
  });

  test("has a series for each type, and counts distinct users and sessions", async () => {
    expect(await seriesOf({ event_type: ["view", "buy", "never"], measure: "users" })).toEqual([
      { event_type: "view", total: 1, values: [1, 0, 1] },
      { event_type: "buy", total: 1, values: [0, 0, 1] },
      { event_type: "never", total: 0, values: [0, 0, 0] },
    ]);
    expect(await seriesOf({ measure: "sessions" })).toEqual([
      { event_type: null, total: 2, values: [2, 0, 1] },
    ]);
  });

  test("is broken down by a property, with the smaller groups merged", async () => {
    const group = (value: unknown, is_other: boolean, total: number, values: number[]) => ({
      event_type: null,
      group: value,
      is_other,
      total,
      values,
    });
    expect(await seriesOf({ breakdown: "plan" })).toEqual([
      group("pro", false, 2, [2, 0, 0]),
      group("free", false, 1, [0, 0, 1]),
      group(null, false, 1, [0, 0, 1]),
    ]);
    expect(await seriesOf({ breakdown: "plan", limit: "1" })).toEqual([
      group("pro", false, 2, [2, 0, 0]),
      group("__other__", true, 2, [0, 0, 2]),
    ]);
  });

  test("puts events into the days, weeks and months of a zone", async () => {
    const berlin = { event_type: "view", timezone: "Europe/Berlin", from: "2026-11-15", to: "2026-11-22" };
    const { buckets, series } = await asked({ ...berlin, interval: "week" });
    expect(buckets).toEqual([
      { start: "2026-11-08T23:00:00.000Z", complete: false },
      { start: "2026-11-15T23:00:00.000Z", complete: false },
    ]);
    expect(series).toEqual([{ event_type: "view", total: 4, values: [0, 4] }]);
    const { series: days } = await asked({ ...berlin, ...DAYS });
    expect(days).toEqual([{ event_type: "view", total: 4, values: [3, 0, 1] }]);
  });

  test("counts an hour repeated by a clock change as two hours", async () => {
    const world = openWorld();
    await track(world, event("2026-10-25T00:30:00Z"), event("2026-10-25T01:30:00Z"));
    const query = {
      interval: "hour",
      timezone: "Europe/Berlin",
      from: "2026-10-25T02:00:00+02:00",
      to: "2026-10-25T03:00:00+01:00",
    };
    const { body } = await call(getTrend, world, { query });
    expect(body.series).toEqual([{ event_type: null, total: 2, values: [1, 1] }]);
  });

  test("is filtered over HTTP by where[property]=value, which matches numbers and text", async () => {
    const { world, send } = openEdge();
    await track(world, ...HISTORY);
    const totalAt = async (where: string) => {
      const { body } = await send({ path: `/apiv1/events/trend?from=2026-11-20&to=2026-11-22&${where}` });
      return (body as { series: { total: number }[] }).series.map(({ total }) => total);
    };
    expect(await totalAt("where[plan]=pro")).toEqual([2]);
    expect(await totalAt("where[size]=5")).toEqual([2]);
    expect(await totalAt("where[size]=5&where[plan]=free")).toEqual([0]);
  });

  test("with ?verify=1 states whether a second answer from raw events is equal", async () => {
    const { meta } = await asked({ ...DAYS, verify: "1" });
    if (meta.source === "rollup") expect(meta.verification).toEqual({ ok: true, differences: [] });
    expect((await asked(DAYS)).meta).not.toHaveProperty("verification");
  });
});

describe("a trend compared with the period before", () => {
  const BEFORE = [
    event("2026-11-17T08:00:00Z", { user_id: "ann", properties: { plan: "free" } }),
    event("2026-11-19T08:00:00Z", { user_id: "dan", properties: { plan: "old" } }),
    event("2026-11-19T09:59:00Z", { user_id: "ann", properties: { plan: "pro" } }),
    event("2026-11-19T10:30:00Z", { user_id: "late", properties: { plan: "pro" } }),
  ];

  async function comparedWith(query: object) {
    const world = openWorld();
    await track(world, ...HISTORY, ...BEFORE);
    return (await call(getTrend, world, { query: { ...DAYS, compare: "previous", ...query } })).body;
  }

  test("has its figures up to the same time of the last day, bucket by bucket", async () => {
    const { previous, buckets, series } = await comparedWith({ measure: "users", event_type: "view" });
    expect(previous).toEqual({
      from: "2026-11-17T00:00:00.000Z",
      to: "2026-11-19T10:00:00.001Z",
      buckets: [
        { start: "2026-11-17T00:00:00.000Z", complete: true },
        { start: "2026-11-18T00:00:00.000Z", complete: true },
        { start: "2026-11-19T00:00:00.000Z", complete: false },
      ],
    });
    expect(buckets).toHaveLength(3);
    expect(series).toEqual([
      { event_type: "view", total: 1, values: [1, 0, 1], previous: { total: 2, values: [1, 0, 2] } },
    ]);
  });

  test("keeps the groups of the range, and counts groups of the period before alone among the others", async () => {
    const { series } = await comparedWith({ breakdown: "plan", limit: "2", event_type: "view" });
    expect(series).toEqual([
      {
        event_type: "view",
        group: "pro",
        is_other: false,
        total: 2,
        values: [2, 0, 0],
        previous: { total: 1, values: [0, 0, 1] },
      },
      {
        event_type: "view",
        group: "free",
        is_other: false,
        total: 1,
        values: [0, 0, 1],
        previous: { total: 1, values: [1, 0, 0] },
      },
      {
        event_type: "view",
        group: "__other__",
        is_other: true,
        total: 0,
        values: [0, 0, 0],
        previous: { total: 1, values: [0, 0, 1] },
      },
    ]);
  });

  test("equals the trend of that period, and a recount from the events", async () => {
    for (const query of [{}, { breakdown: "plan" }, { measure: "sessions" }]) {
      const { previous, series, meta } = await comparedWith({ ...query, verify: "1" });
      if (meta.source === "rollup") expect(meta.verification).toEqual({ ok: true, differences: [] });
      if ("breakdown" in query) continue;
      const world = openWorld();
      await track(world, ...HISTORY, ...BEFORE);
      const { from, to } = previous ?? {};
      const { body } = await call(getTrend, world, { query: { ...query, from, to } });
      expect(body.series.map(({ total, values }) => ({ total, values }))).toEqual(
        series.map((one) => one.previous),
      );
    }
  });
});

describe("an invalid trend query", () => {
  test.each<[string, object, string]>([
    ["an unknown parameter", { group_by: "plan" }, "group_by"],
    ["an unknown measure", { measure: "sum" }, "measure"],
    ["an unknown interval", { interval: "minute" }, "interval"],
    ["an unknown zone", { timezone: "Mars/Olympus" }, "timezone"],
    [
      "a range that ends where it begins",
      { from: "2026-11-22T08:00:00Z", to: "2026-11-22T08:00:00Z" },
      "from",
    ],
    ["a time without a zone", { to: "2026-11-22T10:00:00" }, "to"],
    ["more than ten thousand hours", { interval: "hour", from: "2025-01-01" }, "interval"],
    ["no groups", { breakdown: "plan", limit: "0" }, "limit"],
    ["101 groups", { breakdown: "plan", limit: "101" }, "limit"],
    ["a blank property", { breakdown: " " }, "breakdown"],
    ["21 types", { event_type: Array.from({ length: 21 }, (_, n) => `t${n}`) }, "event_type"],
    ["an unknown comparison", { compare: "next" }, "compare"],
    ["an invalid flag", { verify: "true" }, "verify"],
  ])("a query with %s is refused with the path", async (_name, query, path) => {
    expect(await faultPathsOf(call(getTrend, openWorld(), { query }))).toEqual(["invalid", path]);
  });

  test("is refused if its answer could have too many values", async () => {
    const event_type = Array.from({ length: 20 }, (_, n) => `type ${n}`);
    const query = { interval: "hour", from: "2025-10-03", event_type, breakdown: "plan" };
    const world = openWorld();
    expect((await call(getTrend, world, { query })).body.buckets).toHaveLength(9_971);
    expect((await refusalOf(call(getTrend, world, { query: { ...query, limit: "11" } }))).errors).toEqual([
      {
        path: "limit",
        message:
          "makes up to 2393040 values, more than 2200000: ask for fewer groups or types, a longer interval or a shorter range",
      },
    ]);
  });

  test("is answered with a hint", async () => {
    const query = { interval: "hour", from: "2025-01-01" };
    expect((await refusalOf(call(getTrend, openWorld(), { query }))).errors).toEqual([
      {
        path: "interval",
        message: "makes more than 10000 buckets of this range: choose a longer interval or a shorter range",
      },
    ]);
  });
});
