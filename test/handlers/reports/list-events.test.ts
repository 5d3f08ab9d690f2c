import { describe, expect, test } from "vitest";
import { listEvents } from "../../../handlers/reports/list-events.ts";
import { call, faultPathsOf, openEdge, openWorld, refusalOf } from "../../world.ts";
import { META, storeMany, track } from "../experiments/tracked.ts";

type Page = {
  events: readonly { id: number; user_id: string | null; timestamp: string }[];
  next_cursor: string | null;
};

const signup = {
  event_type: "signup",
  user_id: "ann",
  session_id: "s1",
  properties: { plan: "pro", of: { tags: ["a"] } },
  timestamp: "2026-11-20T09:00:00.123Z",
};

const usersOf = ({ events }: Page) => events.map(({ user_id }) => user_id);

/** All pages, found by following the cursors. */
async function pagesOf(world: ReturnType<typeof openWorld>, query: object): Promise<Page[]> {
  const pages: Page[] = [];
  let cursor: string | null = null;
  do {
    const answer: { body: Page } = await call(listEvents, world, {
      query: { ...query, ...(cursor === null ? {} : { cursor }) },
    });
    pages.push(answer.body);
    cursor = answer.body.next_cursor;
  } while (cursor !== null);
  return pages;
}

describe("the list of events", () => {
  test("is empty without events", async () => {
    expect(await call(listEvents, openWorld())).toStrictEqual({
      outcome: "ok",
      body: { events: [], next_cursor: null, meta: META },
    });
  });

  test("shows each event with all its fields, newest first by timestamp", async () => {
    const world = openWorld();
    await track(
      world,
      signup,
      { event_type: "bare" },
      { event_type: "old", timestamp: "1969-07-20T20:17:40Z" },
    );
    const bare = {
      user_id: null,
      session_id: null,
      properties: null,
      client_timestamp: null,
      created_at: "2026-11-22T10:00:00.000Z",
    };
    expect((await call(listEvents, world)).body).toStrictEqual({
      events: [
        { id: 2, event_type: "bare", ...bare, timestamp: "2026-11-22T10:00:00.000Z" },
        { id: 1, ...signup, client_timestamp: null, created_at: "2026-11-22T10:00:00.000Z" },
        { id: 3, event_type: "old", ...bare, timestamp: "1969-07-20T20:17:40.000Z" },
      ],
      next_cursor: null,
      meta: META,
    });
  });

  test("has pages of fifty events by default", async () => {
    const world = openWorld();
    await storeMany(world, 63);
    const [first, rest, ...more] = await pagesOf(world, {});
    expect([first?.events.length, rest?.events.length, more.length]).toEqual([50, 13, 0]);
  });

  test.each([1, 4, 7, 20, 21, 500])(
    "has every event once with pages of %i, also events of the same instant",
    async (limit) => {
      const world = openWorld();
      await storeMany(world, 42);
      const all = (await pagesOf(world, { limit: String(limit) })).flatMap(({ events }) => events);
      expect(new Set(all.map(({ user_id }) => user_id)).size).toBe(42);
      expect(all).toHaveLength(42);
      const sorted = all.toSorted((a, b) => b.timestamp.localeCompare(a.timestamp) || b.id - a.id);
      expect(all).toEqual(sorted);
    },
  );

  test("does not shift between pages when new events arrive", async () => {
    const world = openWorld();
    await track(world, ...["a", "b", "c"].map((user_id) => ({ event_type: "view", user_id })));
    const { body: first } = await call(listEvents, world, { query: { limit: "2" } });
    await track(world, { event_type: "view", user_id: "d" });
    const { body } = await call(listEvents, world, { query: { limit: "2", cursor: first.next_cursor } });
    expect([usersOf(first), usersOf(body)]).toEqual([["c", "b"], ["a"]]);
  });
});

describe("a filtered list", () => {
  const at = (hour: number) => `2026-11-20T${String(hour).padStart(2, "0")}:00:00Z`;
  const events = [
    { ...signup, user_id: "a", timestamp: at(0) },
    { ...signup, user_id: "b", event_type: "visit", session_id: "s2", timestamp: at(1) },
    { ...signup, user_id: "c", event_type: "buy", properties: { plan: "5", size: 1 }, timestamp: at(2) },
    { ...signup, user_id: "d", properties: { plan: 5, size: 1 }, timestamp: at(23) },
    { event_type: "visit", user_id: "e", timestamp: "2026-11-21T00:00:00Z" },
  ];

  test.each<[string, object, string]>([
    ["a type", { event_type: "signup" }, "da"],
    ["several types", { event_type: ["buy", "visit"] }, "ecb"],
    ["a user", { user_id: "b" }, "b"],
    ["a session", { session_id: "s2" }, "b"],
    ["a day", { from: "2026-11-20", to: "2026-11-20" }, "dcba"],
    ["a day in a time zone", { from: "2026-11-20", to: "2026-11-20", timezone: "Europe/Berlin" }, "cba"],
    ["a start time", { from: at(23) }, "ed"],
    ["an end time", { to: at(2) }, "ba"],
    ["a property", { where: { plan: "pro" } }, "ba"],
    ["a number or the same text", { where: { plan: "5" } }, "dc"],
    ["two properties", { where: { plan: "5", size: "1" }, event_type: "buy" }, "c"],
    ["a property that no event has", { where: { plan: "free" } }, ""],
  ])("by %s shows only matching events", async (_name, query, users) => {
    const world = openWorld();
    await track(world, ...events);
    const { body } = await call(listEvents, world, { query });
    expect(usersOf(body).join("")).toBe(users);
  });

  test("takes where[property]=value in a URL, with all other filters", async () => {
    const { world, send } = openEdge();
    await track(world, ...events);
    const usersAt = async (query: string) => {
      const { status, body } = await send({ path: `/apiv1/events?${query}` });
      return [status, usersOf(body as Page).join("")];
    };
    expect(await usersAt("where[plan]=pro&event_type=visit")).toEqual([200, "b"]);
    expect(await usersAt("where%5Bplan%5D=5&where[size]=1")).toEqual([200, "dc"]);
    expect(await usersAt("event_type=buy&event_type=visit&from=2026-11-20&to=2026-11-20")).toEqual([
      200,
      "cb",
    ]);
  });
});

describe("an invalid list query", () => {
  const cursor = (value: unknown) => btoa(JSON.stringify(value)).replace(/=+$/, "");

  test.each<[string, object, string]>([
    ["a limit of 0", { limit: "0" }, "limit"],
    ["a limit of 501", { limit: "501" }, "limit"],
    ["a fractional limit", { limit: "1.5" }, "limit"],
    ["an unknown parameter", { page: "2" }, "page"],
    ["a blank type", { event_type: " " }, "event_type"],
    ["21 types", { event_type: Array.from({ length: 21 }, (_, n) => `t${n}`) }, "event_type"],
    ["two users", { user_id: ["ann", "bob"] }, "user_id"],
    ["a range that ends before it begins", { from: "2026-11-22", to: "2026-11-21" }, "from"],
    ["a day that does not exist", { from: "2026-02-30" }, "from"],
    ["an unknown zone", { timezone: "Mars/Olympus" }, "timezone"],
    ["two values of one property", { where: { plan: ["pro", "free"] } }, "where.plan"],
    ["a condition without a property", { where: "pro" }, "where"],
    ["a cursor that is not base64", { cursor: "%%%" }, "cursor"],
    ["a cursor of another list", { cursor: cursor(5) }, "cursor"],
    ["a cursor without an id", { cursor: cursor([5]) }, "cursor"],
    ["a cursor with extra fields", { cursor: cursor([5, 6, 7]) }, "cursor"],
    ["a cursor with a fractional time", { cursor: cursor([1.5, 1]) }, "cursor"],
    ["a cursor of 501 characters", { cursor: "1".repeat(501) }, "cursor"],
  ])("a query with %s is refused with the path", async (_name, query, path) => {
    expect(await faultPathsOf(call(listEvents, openWorld(), { query }))).toEqual(["invalid", path]);
  });

  test("is answered with a hint, also over HTTP", async () => {
    expect(await refusalOf(call(listEvents, openWorld(), { query: { cursor: "x" } }))).toMatchObject({
      errors: [{ path: "cursor", message: "must be a next_cursor as this server gave it" }],
    });
    const { status, body } = await openEdge().send({
      path: "/apiv1/events?where[plan]=a&where[plan]=b&until=1",
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: "invalid", errors: [{ path: "where.plan" }, { path: "until" }] });
  });
});

test("over HTTP a list can be filtered by unset properties and by bounds", async () => {
  const { world, send } = openEdge();
  const prices = [5, 10, 19, 20, undefined];
  await track(world, ...prices.map((price) => ({ event_type: "buy", properties: { price } })));
  const pricesOf = async (query: string) => {
    const { status, body } = await send({ path: `/apiv1/events?${query}` });
    const { events } = body as { events: { properties: { price?: number } }[] };
    return [status, ...events.map(({ properties }) => properties.price)];
  };
  expect(await pricesOf("where[price][not_set]")).toEqual([200, undefined]);
  expect(await pricesOf("where[price][gte]=10&where[price][lt]=20")).toEqual([200, 19, 10]);
  expect(await send({ path: "/apiv1/events?where[price][gte]=ten" })).toMatchObject({
    status: 400,
    body: { errors: [{ path: "where.price.gte", message: "must be a number" }] },
  });
});
