import { describe, expect, test } from "vitest";
import { getOverview } from "../../../handlers/reports/get-overview.ts";
import { getTrend } from "../../../handlers/reports/get-trend.ts";
import { call, faultPathsOf, openWorld } from "../../world.ts";
import { META, track } from "../experiments/tracked.ts";

const view = (timestamp: string, user_id: string, properties: object) => ({
  event_type: "page_view",
  timestamp,
  user_id,
  properties,
});

const HISTORY = [
  view("2026-11-21T08:00:00Z", "ann", { path: "/", referrer: "search.example", country: "DE" }),
  view("2026-11-21T08:01:00Z", "ann", { path: "/plans", country: "DE" }),
  view("2026-11-22T09:45:00Z", "bob", { path: "/", utm_campaign: "spring", country: "FR" }),
  { event_type: "signup", timestamp: "2026-11-22T09:50:00Z", user_id: "bob", properties: { device: "tv" } },
  view("2026-11-20T09:00:00Z", "cem", { path: "/", country: "DE" }),
  view("2026-11-19T09:00:00Z", "cem", { path: "/old", country: "IT" }),
];

const DAYS = { from: "2026-11-21", to: "2026-11-22" };

async function filled() {
  const world = openWorld();
  await track(world, ...HISTORY);
  return world;
}

describe("an overview", () => {
  test("has the figures of the range and of the period before, and what happened most", async () => {
    const { body } = await call(getOverview, await filled(), { query: { ...DAYS, compare: "previous" } });
    const row = (group: string, total: number, previous: number) => ({
      group,
      is_other: false,
      total,
      previous,
    });
    const others = (previous: number) => ({ group: "__other__", is_other: true, total: 0, previous });
    expect(body).toStrictEqual({
      interval: "day",
      timezone: "UTC",
      from: "2026-11-21T00:00:00.000Z",
      to: "2026-11-23T00:00:00.000Z",
      buckets: [
        { start: "2026-11-21T00:00:00.000Z", complete: true },
        { start: "2026-11-22T00:00:00.000Z", complete: false },
      ],
      previous: {
        from: "2026-11-19T00:00:00.000Z",
        to: "2026-11-20T10:00:00.001Z",
        buckets: [
          { start: "2026-11-19T00:00:00.000Z", complete: true },
          { start: "2026-11-20T00:00:00.000Z", complete: false },
        ],
      },
      events: { total: 4, values: [2, 2], previous: { total: 2, values: [1, 1] } },
      users: { total: 2, values: [1, 1], previous: { total: 1, values: [1, 1] } },
      active: { minutes: 30, users: 1 },
      lists: [
        {
          name: "pages",
          event_type: "page_view",
          property: "path",
          rows: [row("/", 2, 1), row("/plans", 1, 0), others(1)],
        },
        {
          name: "referrers",
          event_type: "page_view",
          property: "referrer",
          rows: [row("search.example", 1, 0)],
        },
        {
          name: "campaigns",
          event_type: "page_view",
          property: "utm_campaign",
          rows: [row("spring", 1, 0)],
        },
        { name: "devices", event_type: null, property: "device", rows: [row("tv", 1, 0)] },
        {
          name: "countries",
          event_type: "page_view",
          property: "country",
          rows: [row("DE", 2, 1), row("FR", 1, 0), others(1)],
        },
      ],
      meta: META,
    });
  });

  test("equals the trends of the same range", async () => {
    const world = await filled();
    const query = { ...DAYS, compare: "previous", timezone: "Asia/Tokyo", interval: "hour" };
    const { events, users, lists } = (await call(getOverview, world, { query })).body;
    const seriesOf = async (more: object) =>
      (await call(getTrend, world, { query: { ...query, ...more } })).body.series;
    const figuresOf = async (more: object) =>
      (await seriesOf(more)).map(({ total, values, previous }) => ({ total, values, previous }));
    expect([events]).toEqual(await figuresOf({}));
    expect([users]).toEqual(await figuresOf({ measure: "users" }));
    for (const { event_type, property, rows } of lists) {
      const series = await seriesOf({ breakdown: property, event_type: event_type ?? [] });
      expect(rows).toEqual(
        series.flatMap(({ group, is_other, total, previous }) =>
          group === null ? [] : [{ group, is_other, total, previous: previous?.total }],
        ),
      );
    }
  });

  test("shows as many rows as are asked for, and the others together", async () => {
    const { lists } = (await call(getOverview, await filled(), { query: { ...DAYS, limit: "1" } })).body;
    expect(lists[0]?.rows).toEqual([
      { group: "/", is_other: false, total: 2 },
      { group: "__other__", is_other: true, total: 1 },
    ]);
  });

  test("of no events has zeros and no lists", async () => {
    const { body } = await call(getOverview, openWorld(), { query: DAYS });
    expect(body).toMatchObject({
      events: { total: 0, values: [0, 0] },
      users: { total: 0, values: [0, 0] },
      active: { minutes: 30, users: 0 },
      lists: [],
    });
    expect(body).not.toHaveProperty("previous");
  });

  test.each([
    ["an unknown parameter", { measure: "users" }, "measure"],
    ["an unknown comparison", { compare: "next" }, "compare"],
    ["too many hours", { interval: "hour", from: "2020-01-01" }, "interval"],
  ])("refuses %s with the path", async (_name, query, path) => {
    expect(await faultPathsOf(call(getOverview, openWorld(), { query }))).toEqual(["invalid", path]);
  });
});
