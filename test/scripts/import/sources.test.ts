import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { isoTime } from "../../../domain/time.ts";
import { importRows } from "../../../scripts/import/importer.ts";
import { openExport, type Row } from "../../../scripts/import/rows.ts";
import type { Source } from "../../../scripts/import/source.ts";
import { ga4 } from "../../../scripts/import/sources/ga4.ts";
import { matomo } from "../../../scripts/import/sources/matomo.ts";
import { plausible } from "../../../scripts/import/sources/plausible.ts";
import { posthog } from "../../../scripts/import/sources/posthog.ts";
import { umami } from "../../../scripts/import/sources/umami.ts";

const now = () => Date.UTC(2026, 10, 22);
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/imports/${name}`, import.meta.url));
const everything = { from: 0, to: now(), limit: 100, event_types: [], where: [] };

/** Imports a fixture, and lists the events as they are stored, the oldest first. */
async function imported(source: Source, ...names: string[]) {
  const storage = openSqlite(":memory:");
  const reports = [];
  for (const name of names) {
    const { rows } = await openExport(fixture(name));
    reports.push(await importRows(rows, source, { storage, now }));
  }
  const events = (await storage.listEvents(everything))
    .map(({ event_type, user_id, session_id, properties, occurred_at }) => ({
      event_type,
      user_id,
      session_id,
      at: isoTime(occurred_at),
      properties: JSON.parse(properties ?? "null"),
    }))
    .reverse();
  const person = await storage.findPerson("user-7");
  await storage.close();
  return { reports, events, links: person.links.map(({ anonymous_id }) => anonymous_id) };
}

const NO_TIME =
  "timestamp must be ISO 8601 with a zone, as 2026-11-22T10:00:00.000Z, or milliseconds since 1970";

test("Umami's events are imported with their visitor, visit, page and campaign", async () => {
  const visitor = "0c8b5b5e-6f5e-5d0e-9d6e-2f7c3b1a0001";
  const browser = {
    hostname: "shop.example",
    browser: "chrome",
    os: "Mac OS",
    device: "desktop",
    screen: "large",
    language: "en-GB",
    country: "GB",
    region: "GB-LND",
    city: "London",
  };
  const { reports, events, links } = await imported(umami, "umami.csv");
  expect(events).toEqual([
    {
      event_type: "page_view",
      user_id: visitor,
      session_id: "9a7d4c1e-1f2a-5b3c-8d4e-5f6a7b8c0001",
      at: "2024-03-15T10:00:00.000Z",
      properties: {
        ...browser,
        path: "/plants",
        title: 'Plants, small and "large"',
        referrer: "news.example",
        utm_source: "news",
        utm_medium: "email",
      },
    },
    {
      event_type: "signup",
      user_id: "user-7",
      session_id: "9a7d4c1e-1f2a-5b3c-8d4e-5f6a7b8c0001",
      at: "2024-03-15T10:01:00.000Z",
      properties: { ...browser, path: "/signup", title: "Sign up", tag: "spring" },
    },
    {
      event_type: "page_view",
      user_id: "0c8b5b5e-6f5e-5d0e-9d6e-2f7c3b1a0002",
      session_id: "9a7d4c1e-1f2a-5b3c-8d4e-5f6a7b8c0002",
      at: "2024-03-15T11:00:00.250Z",
      properties: {
        hostname: "shop.example",
        browser: "firefox",
        os: "Linux",
        device: "mobile",
        screen: "small",
        language: "de-DE",
        country: "DE",
        city: "Berlin",
        path: "/",
        title: "Home",
      },
    },
  ]);
  expect(links).toEqual([visitor]);
  expect(reports).toEqual([
    {
      rows: 5,
      events: 3,
      duplicates: 0,
      links: 1,
      omissions: [
        { reason: "event_type “3” is not imported", count: 1, row: 4 },
        { reason: NO_TIME, count: 1, row: 5 },
      ],
      unreadFields: ["job_id", "referrer_path", "referrer_query"],
    },
  ]);
});

test("Plausible's totals become one event for each view and each custom event, at noon of their day", async () => {
  const source = plausible("shop.example");
  const { reports, events } = await imported(source, "plausible_pages.csv", "plausible_custom_events.csv");
  const at = { user_id: null, session_id: null, at: "2024-03-15T12:00:00.000Z" };
  const view = (path: string) => ({
    ...at,
    event_type: "page_view",
    properties: { path, hostname: "shop.example" },
  });
  const click = {
    ...at,
    event_type: "Outbound Link: Click",
    properties: { url: "https://other.example/", hostname: "shop.example" },
  };
  expect(events).toEqual([
    ...Array(3).fill(view("/")),
    view("/plants"),
    { ...at, event_type: "Signup", properties: { hostname: "shop.example" } },
    click,
    click,
  ]);
  expect(reports).toMatchObject([
    {
      events: 4,
      omissions: [{ reason: "pageviews must be a number up to 10000000", row: 3 }],
      unreadFields: ["total_scroll_depth", "total_scroll_depth_visits", "visitors", "visits"],
    },
    { events: 3, omissions: [] },
  ]);
});

test("a later export of Plausible adds only the views that its day had not had before", async () => {
  const storage = openSqlite(":memory:");
  const day = async function* (pageviews: string): AsyncGenerator<Row> {
    yield { fields: { date: "2024-03-15", hostname: "shop.example", page: "/", pageviews } };
  };
  const importDay = (pageviews: string) => importRows(day(pageviews), plausible(undefined), { storage, now });
  expect(await importDay("3")).toMatchObject({ events: 3, duplicates: 0 });
  expect(await importDay("5")).toMatchObject({ events: 2, duplicates: 3 });
  await storage.close();
});

test("PostHog's events have the names and ids that its clients' events have here", async () => {
  const { reports, events, links } = await imported(posthog, "posthog.jsonl");
  expect(events).toEqual([
    {
      event_type: "page_view",
      user_id: "anon-1",
      session_id: "s-1",
      at: "2024-03-15T10:00:00.000Z",
      properties: { url: "https://shop.example/plants", path: "/plants", plan: "free" },
    },
    {
      event_type: "$identify",
      user_id: "user-7",
      session_id: "s-1",
      at: "2024-03-15T10:01:00.000Z",
      properties: { $anon_distinct_id: "anon-1" },
    },
    {
      event_type: "$feature_flag_called",
      user_id: "user-7",
      session_id: null,
      at: "2024-03-15T10:02:00.000Z",
      properties: { $feature_flag: "colour", $feature_flag_response: "blue" },
    },
    {
      event_type: "purchase",
      user_id: "user-7",
      session_id: null,
      at: "2024-03-15T10:03:00.000Z",
      properties: { price: 12.5 },
    },
  ]);
  expect(links).toEqual(["anon-1"]);
  expect(reports).toMatchObject([
    {
      rows: 5,
      omissions: [{ reason: "row is not valid JSON", count: 1, row: 4 }],
      unreadFields: ["created_at", "elements_chain", "person_id", "person_properties", "team_id"],
    },
  ]);
});

test("Matomo's visits become an event for each action", async () => {
  const { reports, events, links } = await imported(matomo, "matomo.json");
  const visit = {
    device: "desktop",
    browser: "Firefox",
    os: "Linux",
    screen: "large",
    language: "en-gb",
    country: "United Kingdom",
    city: "London",
    referrer: "news.example",
  };
  const page = { url: "https://shop.example/plants", path: "/plants", hostname: "shop.example" };
  const first = { user_id: "user-7", session_id: "1.41" };
  const second = { user_id: "1a2b3c4d5e6f7a8b", session_id: "1.42" };
  expect(events).toEqual([
    {
      ...first,
      event_type: "page_view",
      at: "2024-03-15T10:00:00.000Z",
      properties: {
        ...visit,
        ...page,
        url: "https://shop.example/plants?utm_source=news",
        title: 'Plants [all], "small" {and} large',
        utm_source: "news",
      },
    },
    {
      ...first,
      event_type: "add_to_cart",
      at: "2024-03-15T10:01:00.000Z",
      properties: { ...visit, ...page, category: "Cart", name: "fern", value: 12.5 },
    },
    {
      ...first,
      event_type: "goal",
      at: "2024-03-15T10:01:10.000Z",
      properties: {
        ...visit,
        url: "https://shop.example/thanks",
        path: "/thanks",
        hostname: "shop.example",
        goal: "Newsletter",
        goal_id: 2,
        revenue: 0,
      },
    },
    {
      ...first,
      event_type: "purchase",
      at: "2024-03-15T10:01:40.000Z",
      properties: { ...visit, order_id: "A-17", revenue: 25, items: 2 },
    },
    {
      ...second,
      event_type: "search",
      at: "2024-03-15T10:53:20.000Z",
      properties: { keyword: "fern", results: 4 },
    },
    {
      ...second,
      event_type: "outbound_link",
      at: "2024-03-15T10:53:30.000Z",
      properties: { url: "https://other.example/" },
    },
    {
      ...second,
      event_type: "download",
      at: "2024-03-15T10:53:40.000Z",
      properties: { url: "https://shop.example/list.pdf" },
    },
  ]);
  expect(links).toEqual(["9f5e1a0b3c4d5e6f"]);
  expect(reports).toMatchObject([
    {
      omissions: [
        { reason: "type “form” is not imported", count: 1, row: 1 },
        { reason: "actionDetails must be a list of actions", count: 1, row: 3 },
      ],
      unreadFields: ["referrerType", "serverTimestamp", "visitIp"],
    },
  ]);
});

test("the events of Google Analytics are imported with their parameters as properties", async () => {
  const { reports, events, links } = await imported(ga4, "ga4.jsonl");
  expect(events).toEqual([
    {
      event_type: "page_view",
      user_id: "1234.5678",
      session_id: "1234.5678.1710496800",
      at: "2024-03-15T10:00:00.123Z",
      properties: {
        url: "https://shop.example/plants?utm_source=news",
        path: "/plants",
        hostname: "shop.example",
        title: "Plants",
        referrer: "news.example",
        engagement_time_msec: 1200,
        plan: "free",
        device: "desktop",
        os: "Linux",
        browser: "Firefox",
        language: "en-gb",
        country: "United Kingdom",
        region: "England",
        city: "London",
        utm_source: "news",
        utm_medium: "email",
      },
    },
    {
      event_type: "purchase",
      user_id: "user-7",
      session_id: "1234.5678.1710496800",
      at: "2024-03-15T10:01:40.000Z",
      // An integer that a number cannot hold stays text.
      properties: { value: 12.5, order: "9007199254740993", transaction_id: "A-17", revenue: 12.5 },
    },
  ]);
  expect(links).toEqual(["1234.5678"]);
  expect(reports).toMatchObject([
    {
      omissions: [{ reason: NO_TIME, count: 1, row: 3 }],
      unreadFields: ["event_date", "is_active_user", "items", "platform"],
    },
  ]);
});

const SOURCES = { umami, plausible: plausible(undefined), posthog, matomo, ga4 };

test.each(Object.entries(SOURCES))("any row at all is imported or reported by %s", async (_name, source) => {
  const known = fc.constantFrom(...source.read);
  const row = fc.dictionary(
    fc.oneof(known, fc.string()),
    fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constant([{ type: "action", pageId: 1, timestamp: 1.7e9 }])),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 5 }), async (fields) => {
      const rows = async function* (): AsyncGenerator<Row> {
        for (const each of fields) yield { fields: each };
      };
      const {
        rows: count,
        events,
        omissions,
      } = await importRows(rows(), source, { storage: undefined, now });
      expect(count).toBe(fields.length);
      // Matomo has visits without any action, and Plausible pages without any view.
      if (source !== matomo && source.product !== "Plausible") {
        expect(events + omissions.reduce((sum, each) => sum + each.count, 0)).toBe(fields.length);
      }
    }),
    { numRuns: 200 },
  );
});
