import { describe, expect, test } from "vitest";
import { SHARE_PREFIX } from "../../../domain/shares/share-link.ts";
import { trackEvents } from "../../../handlers/events/track-events.ts";
import { deleteExperiment } from "../../../handlers/experiments/delete-experiment.ts";
import { getExperiment } from "../../../handlers/experiments/get-experiment.ts";
import { getResults } from "../../../handlers/experiments/get-results.ts";
import { getTimeline } from "../../../handlers/experiments/get-timeline.ts";
import { createAnnotation } from "../../../handlers/reports/annotations/create-annotation.ts";
import { computeFunnel } from "../../../handlers/reports/compute-funnel.ts";
import { getOverview } from "../../../handlers/reports/get-overview.ts";
import { getRetention } from "../../../handlers/reports/get-retention.ts";
import { getTrend } from "../../../handlers/reports/get-trend.ts";
import { createShare } from "../../../handlers/shares/create-share.ts";
import { deleteShare } from "../../../handlers/shares/delete-share.ts";
import { getSharedPage } from "../../../handlers/shares/get-shared-page.ts";
import { listShares } from "../../../handlers/shares/list-shares.ts";
import { call, faultPathsOf, openWorld, refusalOf, type TestWorld, withColours } from "../../world.ts";

const DAY = 86_400_000;
const TREND = { view: "trend", range: null, query: { event_type: ["signup"], measure: "users" } };
const STEPS = [{ event_type: "visit" }, { event_type: "signup" }];

const created = async (world: TestWorld, page: object, more: object = {}) =>
  (await call(createShare, world, { body: { page, ...more } })).body;

const opened = async (world: TestWorld, secret: string) =>
  (await call(getSharedPage, world, { secret })).body;

/** A world with events of three days, and an experiment with two users. */
async function withData(): Promise<TestWorld> {
  const world = openWorld();
  const event = (event_type: string, user_id: string, day: string) => ({
    event_type,
    user_id,
    timestamp: `2026-11-${day}T08:00:00Z`,
    properties: { path: "/home", country: user_id === "ann" ? "CH" : "DE" },
  });
  await call(trackEvents, world, {
    body: [
      event("visit", "ann", "19"),
      event("signup", "ann", "20"),
      event("visit", "bob", "21"),
      event("signup", "bob", "22"),
    ],
  });
  await call(createAnnotation, world, { body: { text: "Release 1.9", at: "2026-11-21T08:00:00Z" } });
  await withColours(world, {
    changes: {
      notes: "Not for guests",
      variants: [{ variant_name: "red", value: { secret: 1 } }, { variant_name: "blue" }],
    },
    users: { ann: "red", bob: "blue" },
  });
  return world;
}

const withoutMeta = ({ meta: _, ...rest }: { readonly meta: unknown }) => rest;

describe("a share link", () => {
  test("is created with its secret, and listed without it", async () => {
    const world = openWorld();
    const first = await created(world, TREND, { name: "For the board" });
    expect(first).toEqual({
      success: true,
      share_id: expect.any(String),
      page: TREND,
      name: "For the board",
      created_at: "2026-11-22T10:00:00.000Z",
      expires_at: null,
      secret: expect.stringMatching(/^share_./),
    });
    world.advance(1);
    const second = await created(world, TREND, { expires_at: "2026-12-01T00:00:00Z" });
    expect(second.secret).not.toBe(first.secret);

    const listed = async (query: object) => (await call(listShares, world, { query })).body;
    const shown = ({ success: _, secret: __, ...rest }: typeof first) => rest;
    expect(await listed({})).toEqual({ shares: [shown(second), shown(first)], next_cursor: null });
    const page = await listed({ limit: "1" });
    expect(page).toEqual({ shares: [shown(second)], next_cursor: expect.any(String) });
    expect(await listed({ cursor: page.next_cursor })).toEqual({ shares: [shown(first)], next_cursor: null });
  });

  test("is stored by the digest of its secret alone", async () => {
    const world = openWorld();
    const { secret } = await created(world, TREND);
    const [stored] = await world.storage.listShares({ limit: 9 });
    expect(stored?.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(stored)).not.toContain(secret.slice(SHARE_PREFIX.length));
  });

  test.each([
    ["without a secret", async () => ""],
    ["with a secret that never was", async () => `${SHARE_PREFIX}unknown`],
    ["with a part of the secret", async (_world: TestWorld, secret: string) => secret.slice(0, -1)],
    ["without the prefix", async (_world: TestWorld, secret: string) => secret.slice(SHARE_PREFIX.length)],
    ["with its id in place of the secret", async (_world: TestWorld, _secret: string, id: string) => id],
    [
      "after it was revoked",
      async (world: TestWorld, secret: string, share_id: string) => {
        await call(deleteShare, world, { params: { share_id } });
        return secret;
      },
    ],
    [
      "from the moment it expires",
      async (world: TestWorld, secret: string) => {
        world.advance(DAY);
        return secret;
      },
    ],
  ])("%s opens nothing, with the same words", async (_name, secretAfter) => {
    const world = openWorld();
    const { secret, share_id } = await created(world, TREND, { expires_at: "2026-11-23T10:00:00Z" });
    world.advance(DAY - 1);
    expect(await opened(world, secret)).toMatchObject(TREND);
    world.advance(1 - DAY);
    expect(await refusalOf(opened(world, await secretAfter(world, secret, share_id)))).toEqual({
      code: "unauthorized",
      detail:
        "This share link does not work: it was revoked, it has expired, or a part of it is missing. Ask the sender for a new one.",
      errors: [],
    });
  });

  test("is revoked alone, once, and its id is not repeated in the refusal", async () => {
    const world = openWorld();
    const [first, second] = [await created(world, TREND), await created(world, TREND)];
    const params = { share_id: first.share_id };
    expect(await call(deleteShare, world, { params })).toEqual({ outcome: "deleted", body: undefined });
    expect(await opened(world, second.secret)).toMatchObject(TREND);
    expect(await refusalOf(call(deleteShare, world, { params }))).toEqual({
      code: "not_found",
      detail: "There is no share link with this id. GET /apiv1/shares lists them.",
      errors: [],
    });
  });

  test.each([
    ["an unknown view", { view: "users" }, "page.view"],
    ["an unknown parameter", { ...TREND, query: { colour: "red" } }, "page.query.colour"],
    ["a wrong value", { ...TREND, query: { interval: "year" } }, "page.query.interval"],
    [
      "a range that makes too many buckets",
      { ...TREND, query: { interval: "hour", from: "1990-01-01" } },
      "interval",
    ],
    ["a second computation", { ...TREND, query: { verify: "1" } }, "page.query.verify"],
    ["a second computation", { view: "retention", query: { verify: "1" } }, "page.query.verify"],
    ["dates and a relative range", { ...TREND, query: { from: "2026-11-01" }, range: "today" }, "page.range"],
    ["an unknown range", { ...TREND, range: "last_year" }, "page.range"],
    ["no days", { ...TREND, range: "last_0_days" }, "page.range"],
    ["one step", { view: "funnel", query: { steps: [STEPS[0]] } }, "page.query.steps"],
    [
      "a list of users",
      { view: "funnel", query: { steps: STEPS, users: { step: 1, outcome: "left" } } },
      "page.query.users",
    ],
    ["a time zone that is none", { view: "overview", query: { timezone: "Mars" } }, "page.query.timezone"],
    ["an unknown field", { view: "experiment", test_id: 1, metric: "x" }, "page.metric"],
  ])("with %s is refused with the place", async (_name, page, path) => {
    const world = openWorld();
    expect(await faultPathsOf(created(world, page))).toEqual(["invalid", path]);
    expect(await world.storage.listShares({ limit: 9 })).toEqual([]);
  });

  test("that expires in the past, or shows an experiment that is not there, is refused", async () => {
    const world = openWorld();
    const past = created(world, TREND, { expires_at: "2026-11-22T10:00:00Z" });
    expect(await faultPathsOf(past)).toEqual(["invalid", "expires_at"]);
    expect(await refusalOf(created(world, { view: "experiment", test_id: 7 }))).toMatchObject({
      code: "not_found",
    });
  });
});

describe("a shared page", () => {
  test("of a trend is the answer to its question, with the annotations of its range", async () => {
    const world = await withData();
    const query = { event_type: "signup", measure: "users", breakdown: "country", where: { country: "CH" } };
    const page = { view: "trend", range: null, query };
    const { secret } = await created(world, page);
    const { trend, ...rest } = (await opened(world, secret)) as { trend: { meta: unknown } };
    expect(withoutMeta(trend)).toEqual(withoutMeta((await call(getTrend, world, { query })).body));
    expect(rest).toEqual({
      ...page,
      annotations: [
        { annotation_id: expect.any(String), at: "2026-11-21T08:00:00.000Z", text: "Release 1.9" },
      ],
    });
  });

  test("of a funnel has no users, and the figures of the same funnel", async () => {
    const world = await withData();
    const { secret } = await created(world, {
      view: "funnel",
      query: { steps: STEPS },
      range: "last_30_days",
    });
    const { funnel } = (await opened(world, secret)) as { funnel: { users: null; meta: unknown } };
    const { body } = await call(computeFunnel, world, { body: { steps: STEPS, from: "2026-10-24" } });
    expect(withoutMeta(funnel)).toEqual(withoutMeta(body));
    expect(funnel.users).toBeNull();
    expect(body.steps.map(({ users }) => users)).toEqual([2, 2]);
  });

  test("of retention is the answer to its question", async () => {
    const world = await withData();
    const { secret } = await created(world, {
      view: "retention",
      range: null,
      query: { interval: "day", periods: 3 },
    });
    const { retention } = (await opened(world, secret)) as { retention: { meta: unknown } };
    const { body } = await call(getRetention, world, { query: { interval: "day", periods: "3" } });
    expect(withoutMeta(retention)).toEqual(withoutMeta(body));
  });

  test("of the overview has its figures and sessions, and no experiment", async () => {
    const world = await withData();
    const page = { view: "overview", query: { compare: "previous", limit: 6 }, range: "this_week" };
    const { secret } = await created(world, page);
    const { overview, sessions, ...rest } = (await opened(world, secret)) as {
      overview: { meta: unknown };
      sessions: { meta: unknown };
    };
    const range = { from: "2026-11-16", to: "2026-11-22", compare: "previous" };
    const asked = (await call(getOverview, world, { query: { ...range, limit: "6" } })).body;
    expect(withoutMeta(overview)).toEqual(withoutMeta(asked));
    const trend = (await call(getTrend, world, { query: { ...range, measure: "sessions" } })).body;
    expect(withoutMeta(sessions)).toEqual(withoutMeta(trend));
    expect(rest).toEqual({ ...page, annotations: [expect.objectContaining({ text: "Release 1.9" })] });
  });

  test("of an experiment has its results and timeline, without notes and the values of variants", async () => {
    const world = await withData();
    const page = { view: "experiment", test_id: 1, segment: "country", timezone: "Europe/Berlin" };
    const { secret } = await created(world, page);
    const params = { test_id: "1" };
    const { body: results } = await call(getResults, world, { params, query: { segment: "country" } });
    const { segments, ...figures } = results;
    const { body: experiment } = await call(getExperiment, world, { params });
    const { notes, exclusion_group: _, holdout: __, variants, ...shown } = experiment;
    expect(notes).toBe("Not for guests");
    expect(await opened(world, secret)).toEqual({
      ...page,
      experiment: { ...shown, variants: variants.map(({ value: ___, ...variant }) => variant) },
      results: figures,
      timeline: (await call(getTimeline, world, { params })).body,
      segments,
    });
    const { secret: plain } = await created(world, { view: "experiment", test_id: 1 });
    expect(await opened(world, plain)).not.toHaveProperty("segments");
  });

  test("of an experiment that was deleted says so", async () => {
    const world = await withData();
    const { secret } = await created(world, { view: "experiment", test_id: 1 });
    await call(deleteExperiment, world, { params: { test_id: "1" } });
    expect(await refusalOf(opened(world, secret))).toMatchObject({ code: "not_found" });
  });

  test.each([
    ["today", "2026-11-22T00:00:00.000Z", "2026-11-22T10:00:00.001Z", "2026-11-23T00:00:00.000Z"],
    ["yesterday", "2026-11-21T00:00:00.000Z", "2026-11-22T00:00:00.000Z", "2026-11-22T00:00:00.000Z"],
  ] as const)("with the range %s moves with the day on which it is opened", async (range, from, to, next) => {
    const world = openWorld();
    const { secret } = await created(world, { ...TREND, range });
    const bounds = async () => (await opened(world, secret)) as { trend: { from: string; to: string } };
    expect((await bounds()).trend).toMatchObject({ from, to });
    world.advance(DAY);
    expect((await bounds()).trend.from).toBe(range === "today" ? next : to);
  });

  test("with a relative range means days of its own time zone", async () => {
    const world = openWorld();
    world.advance(14 * 3_600_000);
    const query = (zone: string) => ({ view: "trend", query: { timezone: zone }, range: "yesterday" });
    const fromIn = async (zone: string) => {
      const { secret } = await created(world, query(zone));
      return ((await opened(world, secret)) as { trend: { from: string } }).trend.from;
    };
    expect(await fromIn("UTC")).toBe("2026-11-22T00:00:00.000Z");
    expect(await fromIn("America/New_York")).toBe("2026-11-21T05:00:00.000Z");
  });
});
