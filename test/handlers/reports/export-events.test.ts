import { describe, expect, test } from "vitest";
import type { Document } from "../../../handlers/contract/document.ts";
import { exportEvents } from "../../../handlers/reports/export-events.ts";
import { listEvents } from "../../../handlers/reports/list-events.ts";
import { call, faultPathsOf, openEdge, openWorld, type TestWorld } from "../../world.ts";
import { storeMany, track } from "../experiments/tracked.ts";

async function textOf({ content }: Document): Promise<string> {
  if (typeof content === "string") return content;
  if (content instanceof Uint8Array) return Buffer.from(content).toString();
  const pieces: string[] = [];
  for await (const piece of content) pieces.push(piece);
  return pieces.join("");
}

const exported = async (world: TestWorld, query: object = {}): Promise<Document> =>
  (await call(exportEvents, world, { query })).body;

const linesOf = async (document: Document) =>
  (await textOf(document))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

/** The lines of all pages, found by following the header x-next-cursor, and the number of pages. */
async function allPages(world: TestWorld, query: object) {
  const lines: { id: number; timestamp: string }[] = [];
  let pages = 0;
  let cursor: string | undefined;
  do {
    const document = await exported(world, { ...query, ...(cursor === undefined ? {} : { cursor }) });
    lines.push(...(await linesOf(document)));
    pages += 1;
    cursor = document.traits.headers?.["x-next-cursor"];
  } while (cursor !== undefined);
  return { lines, pages };
}

const isNewestFirst = (lines: readonly { id: number; timestamp: string }[]): boolean =>
  lines.every(({ id, timestamp }, index) => {
    const before = lines[index - 1];
    return (
      before === undefined ||
      timestamp < before.timestamp ||
      (timestamp === before.timestamp && id < before.id)
    );
  });

const COLUMNS = "id,timestamp,created_at,event_type,user_id,session_id";

const signup = { event_type: "signup", user_id: "ann", session_id: "s1", properties: { plan: "pro" } };

describe("an export", () => {
  test("has the events as lines of JSON with the fields of the list, newest first", async () => {
    const world = openWorld();
    await track(world, signup, { event_type: "old", timestamp: "1969-07-20T20:17:40Z" });
    const document = await exported(world);
    expect([document.type, document.traits]).toEqual([
      "application/x-ndjson; charset=utf-8",
      { headers: { "content-disposition": 'attachment; filename="events.ndjson"' } },
    ]);
    expect(await linesOf(document)).toStrictEqual((await call(listEvents, world)).body.events);
  });

  test("has a head and a row for each event as CSV, with a column for each property", async () => {
    const world = openWorld();
    await track(
      world,
      { ...signup, user_id: '=HYPERLINK("http://x")', session_id: "a,b" },
      { event_type: "-1", properties: { price: 2.5, plan: "=1" } },
    );
    const document = await exported(world, { format: "csv" });
    expect([document.type, document.traits]).toEqual([
      "text/csv; charset=utf-8",
      { headers: { "content-disposition": 'attachment; filename="events.csv"' } },
    ]);
    const now = "2026-11-22T10:00:00.000Z";
    expect(await textOf(document)).toBe(
      [
        `\uFEFF${COLUMNS},"properties.plan","properties.price",other_properties`,
        `2,${now},${now},"'-1",,,"'=1",2.5,`,
        `1,${now},${now},"signup","'=HYPERLINK(""http://x"")","a,b","pro",,`,
        "",
      ].join("\r\n"),
    );
  });

  test("has the columns of the exported event types alone", async () => {
    const world = openWorld();
    await track(world, signup, { event_type: "buy", properties: { price: 3 } });
    const [head] = (await textOf(await exported(world, { format: "csv", event_type: "buy" }))).split("\r\n");
    expect(head).toBe(`\uFEFF${COLUMNS},"properties.price",other_properties`);
  });

  test("without any event is empty, as CSV a head alone", async () => {
    expect(await textOf(await exported(openWorld()))).toBe("");
    expect(await textOf(await exported(openWorld(), { format: "csv" }))).toBe(
      `\uFEFF${COLUMNS},other_properties\r\n`,
    );
    expect(await textOf(await exported(openWorld(), { limit: "5" }))).toBe("");
  });

  test.each([99, 100, 101, 2_100, 2_101, 4_200])(
    "that is streamed has each of %i events once, in order",
    async (count) => {
      const world = openWorld();
      await storeMany(world, count);
      const lines = await linesOf(await exported(world));
      expect(new Set(lines.map(({ user_id }) => user_id)).size).toBe(count);
      expect(lines).toHaveLength(count);
      expect(isNewestFirst(lines)).toBe(true);
    },
  );

  test("that is streamed is read in pieces of a few MiB, whatever the size of its events", async () => {
    const { storage } = openWorld();
    const read: number[] = [];
    const listEvents: typeof storage.listEvents = (page, asking) => {
      read.push(page.limit);
      return storage.listEvents(page, asking);
    };
    const world = openWorld({ storage: { ...storage, listEvents } });
    await track(world, ...Array.from({ length: 300 }, () => ({ event_type: "small" })));
    const large = { ...signup, properties: { text: "x".repeat(60_000) }, timestamp: "2026-11-22T10:30:00Z" };
    await track(world, ...Array.from({ length: 250 }, () => large));
    const lines = await linesOf(await exported(world));
    expect([lines.length, new Set(lines.map(({ id }) => id)).size]).toEqual([550, 550]);
    const [first, second, third, ...others] = read;
    expect([first, second, third]).toEqual([100, 69, 69]);
    expect(Math.max(...others)).toBeLessThanOrEqual(2_000);
    expect(others.length).toBeLessThanOrEqual(4);
  });

  test.each([
    [1, 42],
    [10, 5],
    [42, 1],
    [2_000, 1],
  ])("in pages of %i has each event once, in order, in %i pages", async (limit, pages) => {
    const world = openWorld();
    await storeMany(world, 42);
    const found = await allPages(world, { limit: String(limit) });
    expect(found.pages).toBe(pages);
    expect(new Set(found.lines.map(({ id }) => id)).size).toBe(42);
    expect(found.lines).toHaveLength(42);
    expect(isNewestFirst(found.lines)).toBe(true);
  });

  test("has pages of 2,000 events where streaming is impossible", async () => {
    const world = openWorld({ streams: false });
    await storeMany(world, 4_200);
    const { lines, pages } = await allPages(world, {});
    expect([lines.length, pages, isNewestFirst(lines)]).toEqual([4_200, 3, true]);
  });

  // Bytes per character as JSON inside the JSON of a function's response: one for a letter, four for a quote, three for a kanji.
  test.each([
    ["letters", "x".repeat(60_000), 2],
    ["quotes", '"'.repeat(30_000), 3],
    ["kanji", "字".repeat(20_000), 2],
  ])(
    "ends a page early that would exceed the response limit of a function, with %s",
    async (_name, text, pages) => {
      const world = openWorld({ streams: false });
      await track(world, ...Array.from({ length: 90 }, () => ({ ...signup, properties: { text } })));
      const first = await textOf(await exported(world));
      expect(Buffer.byteLength(JSON.stringify(first))).toBeLessThanOrEqual(4 * 1024 * 1024);
      const found = await allPages(world, {});
      expect([new Set(found.lines.map(({ id }) => id)).size, found.lines.length, found.pages]).toEqual([
        90,
        90,
        pages,
      ]);
    },
  );

  test("can begin at the cursor of a list", async () => {
    const world = openWorld();
    await storeMany(world, 42);
    const { body } = await call(listEvents, world, { query: { limit: "40" } });
    const rest = await linesOf(await exported(world, { cursor: body.next_cursor }));
    const all = await linesOf(await exported(world));
    expect(rest).toEqual(all.slice(40));
  });

  test("is filtered, and sent over HTTP as a file", async () => {
    const { world, send } = openEdge();
    await track(world, signup, { ...signup, properties: { plan: "free" } }, { event_type: "visit" });
    const path = "/apiv1/events/export?format=csv&event_type=signup&where[plan]=pro";
    const { status, headers, body } = await send({ path });
    expect([status, headers["content-type"], headers["content-disposition"]]).toEqual([
      200,
      "text/csv; charset=utf-8",
      'attachment; filename="events.csv"',
    ]);
    expect(String(body).split("\r\n").slice(1)).toEqual([
      '1,2026-11-22T10:00:00.000Z,2026-11-22T10:00:00.000Z,"signup","ann","s1","pro",',
      "",
    ]);
  });
});

describe("an invalid export", () => {
  test.each<[string, object, string]>([
    ["an unknown format", { format: "xlsx" }, "format"],
    ["an unknown parameter", { page: "2" }, "page"],
    ["a page of 0 events", { limit: "0" }, "limit"],
    ["a page of 2,001 events", { limit: "2001" }, "limit"],
    ["a cursor that was tampered with", { cursor: "x" }, "cursor"],
    ["an unknown zone", { timezone: "Mars/Olympus" }, "timezone"],
    ["an impossible range", { from: "2026-11-22", to: "2026-11-21" }, "from"],
    ["two values of one property", { where: { plan: ["pro", "free"] } }, "where.plan"],
  ])("%s is refused by name, before anything is sent", async (_name, query, path) => {
    expect(await faultPathsOf(call(exportEvents, openWorld(), { query }))).toEqual(["invalid", path]);
  });
});
