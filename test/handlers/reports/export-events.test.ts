import { describe, expect, test } from "vitest";
import { exportEvents } from "../../../handlers/reports/export-events.ts";
import { listEvents } from "../../../handlers/reports/list-events.ts";
import { call, faultPathsOf, openEdge, openWorld, type TestEdge, type TestWorld } from "../../world.ts";
import { storeMany, track } from "../experiments/tracked.ts";

/** The complete text of an export from the handler. */
async function textOf(world: TestWorld, query: object = {}): Promise<string> {
  const { head, portions } = (await call(exportEvents, world, { query })).body.traits;
  let text = head;
  for await (const portion of portions) text += portion.map((line) => line.text()).join("");
  return text;
}

const parseLines = (text: string): { id: number; timestamp: string; user_id: string }[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

const exported = async (world: TestWorld, query: object = {}) => parseLines(await textOf(world, query));

/** Downloads one page. */
async function download({ send }: TestEdge, query: Readonly<Record<string, string>> = {}) {
  const { status, headers, body } = await send({
    path: `/apiv1/events/export?${new URLSearchParams(query)}`,
  });
  expect(status).toBe(200);
  return { headers, text: String(body), cursor: headers["x-next-cursor"] };
}

/** The lines of all pages, each continued from the cursor of the one before, and the number of pages. */
async function allPages(edge: TestEdge, query: Readonly<Record<string, string>> = {}) {
  const lines: ReturnType<typeof parseLines> = [];
  let pages = 0;
  let cursor: string | undefined;
  do {
    const page = await download(edge, { ...query, ...(cursor === undefined ? {} : { cursor }) });
    lines.push(...parseLines(page.text));
    pages += 1;
    cursor = page.cursor;
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

const COLUMNS = "id,timestamp,client_timestamp,created_at,event_type,user_id,session_id";

const signup = { event_type: "signup", user_id: "ann", session_id: "s1", properties: { plan: "pro" } };

describe("an export", () => {
  test("returns events as NDJSON with the fields of the list, newest first", async () => {
    const world = openWorld();
    await track(world, signup, { event_type: "old", timestamp: "1969-07-20T20:17:40Z" });
    expect(await exported(world)).toStrictEqual((await call(listEvents, world)).body.events);
  });

  test("returns CSV with a header, a row per event and a column per property", async () => {
    const world = openWorld();
    await track(
      world,
      { ...signup, user_id: '=HYPERLINK("http://x")', session_id: "a,b" },
      { event_type: "-1", properties: { price: 2.5, plan: "=1" } },
    );
    const now = "2026-11-22T10:00:00.000Z";
    expect(await textOf(world, { format: "csv" })).toBe(
      [
        `\uFEFF${COLUMNS},"properties.plan","properties.price",other_properties`,
        `2,${now},,${now},"'-1",,,"'=1",2.5,`,
        `1,${now},,${now},"signup","'=HYPERLINK(""http://x"")","a,b","pro",,`,
        "",
      ].join("\r\n"),
    );
  });

  test("has only the columns of the exported event types", async () => {
    const world = openWorld();
    await track(world, signup, { event_type: "buy", properties: { price: 3 } });
    const [head] = (await textOf(world, { format: "csv", event_type: "buy" })).split("\r\n");
    expect(head).toBe(`\uFEFF${COLUMNS},"properties.price",other_properties`);
  });

  test("without events is empty, and as CSV only the header", async () => {
    expect(await textOf(openWorld())).toBe("");
    expect(await textOf(openWorld(), { format: "csv" })).toBe(`\uFEFF${COLUMNS},other_properties\r\n`);
    expect((await download(openEdge(), { limit: "5" })).text).toBe("");
  });

  test.each([99, 100, 101, 2_100, 2_101, 4_200])(
    "streams each of %i events once, in order",
    async (count) => {
      const edge = openEdge();
      await storeMany(edge.world, count);
      const { lines, pages } = await allPages(edge);
      expect(new Set(lines.map(({ user_id }) => user_id)).size).toBe(count);
      expect([lines.length, pages, isNewestFirst(lines)]).toEqual([count, 1, true]);
    },
  );

  test("reads events in portions of about 64 KiB, whatever their size", async () => {
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
    const lines = await exported(world);
    expect([lines.length, new Set(lines.map(({ id }) => id)).size]).toEqual([550, 550]);
    const [first, second, third, ...others] = read;
    expect([first, second, third]).toEqual([20, 1, 1]);
    expect(Math.max(...others)).toBeLessThanOrEqual(2_000);
    // The large events one at a time, and the small ones in one or two portions.
    expect(others.length).toBeLessThanOrEqual(230);
  });

  test.each([
    [1, 42],
    [10, 5],
    [42, 1],
    [2_000, 1],
  ])("with a limit of %i has each event once, in order, on %i pages", async (limit, pages) => {
    const edge = openEdge();
    await storeMany(edge.world, 42);
    const found = await allPages(edge, { limit: String(limit) });
    expect(found.pages).toBe(pages);
    expect(new Set(found.lines.map(({ id }) => id)).size).toBe(42);
    expect(found.lines).toHaveLength(42);
    expect(isNewestFirst(found.lines)).toBe(true);
  });

  test("with pages reads only one event beyond the page", async () => {
    const { storage } = openWorld();
    const read: number[] = [];
    const listEvents: typeof storage.listEvents = (page, asking) => {
      read.push(page.limit);
      return storage.listEvents(page, asking);
    };
    const edge = openEdge({}, { storage: { ...storage, listEvents } });
    await storeMany(edge.world, 300);
    await download(edge, { limit: "10" });
    await download(edge, { limit: "150" });
    expect(read).toEqual([11, 20, 131]);
  });

  // Bytes in escaped JSON: a letter takes one, a quote within JSON four, a kanji three.
  test.each([
    ["letters", "x".repeat(60_000), 2],
    ["quotes", '"'.repeat(30_000), 3],
    ["kanji", "字".repeat(20_000), 2],
  ])("ends a page before it exceeds the limit of answers, with events of %s", async (_name, text, pages) => {
    const maxAnswerBytes = 4 * 1024 * 1024;
    const edge = openEdge({}, {}, { maxAnswerBytes });
    await track(edge.world, ...Array.from({ length: 90 }, () => ({ ...signup, properties: { text } })));
    const first = await download(edge);
    expect(Buffer.byteLength(JSON.stringify(first.text))).toBeLessThanOrEqual(maxAnswerBytes);
    const found = await allPages(edge);
    expect([new Set(found.lines.map(({ id }) => id)).size, found.lines.length, found.pages]).toEqual([
      90,
      90,
      pages,
    ]);
  });

  test("can begin at the cursor of a list", async () => {
    const world = openWorld();
    await storeMany(world, 42);
    const { body } = await call(listEvents, world, { query: { limit: "40" } });
    const rest = await exported(world, { cursor: body.next_cursor });
    expect(rest).toEqual((await exported(world)).slice(40));
  });

  test.each([
    ["csv", "text/csv; charset=utf-8"],
    ["ndjson", "application/x-ndjson; charset=utf-8"],
  ])("is sent over HTTP as a file of %s", async (format, type) => {
    const edge = openEdge();
    await track(edge.world, signup, { ...signup, properties: { plan: "free" } }, { event_type: "visit" });
    const query = { format, event_type: "signup", "where[plan]": "pro" };
    const { headers, text } = await download(edge, query);
    expect([headers["content-type"], headers["content-disposition"]]).toEqual([
      type,
      `attachment; filename="events.${format}"`,
    ]);
    expect(text).toBe(await textOf(edge.world, { format, event_type: "signup", where: { plan: "pro" } }));
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
  ])("a query with %s is refused with the path before anything is sent", async (_name, query, path) => {
    expect(await faultPathsOf(call(exportEvents, openWorld(), { query }))).toEqual(["invalid", path]);
  });
});
