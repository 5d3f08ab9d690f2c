import { describe, expect, test } from "vitest";
import {
  conditionsOf,
  dateIn,
  daysBefore,
  rangeOf,
  whereOf,
  zoneOf,
} from "../../../web/dashboard/reports/filters.ts";

const query = (text: string): URLSearchParams => new URLSearchParams(text);
const at = Date.parse("2026-11-24T23:30:00Z");

describe("the range of a link", () => {
  test.each([
    ["timezone=UTC", { from: "2026-10-26", timezone: "UTC" }],
    ["timezone=Europe/Berlin", { from: "2026-10-27", timezone: "Europe/Berlin" }],
    ["timezone=UTC&days=1", { from: "2026-11-24", timezone: "UTC" }],
    ["timezone=UTC&days=7", { from: "2026-11-18", timezone: "UTC" }],
    ["timezone=UTC&days=-7", { from: "2026-10-26", timezone: "UTC" }],
    ["timezone=UTC&days=many", { from: "2026-10-26", timezone: "UTC" }],
    ["timezone=UTC&days=7&from=2026-01-01", { from: "2026-01-01", to: undefined, timezone: "UTC" }],
    ["timezone=UTC&to=2026-01-31", { from: undefined, to: "2026-01-31", timezone: "UTC" }],
  ])("of %s is %j", (text, range) => {
    expect(rangeOf(query(text), at)).toEqual(range);
  });
});

test("a date is that of the zone's clocks", () => {
  expect(["UTC", "Asia/Tokyo", "America/New_York"].map((zone) => dateIn(zone, at))).toEqual([
    "2026-11-24",
    "2026-11-25",
    "2026-11-24",
  ]);
});

test("days before a date are counted over the ends of months and of February", () => {
  expect([daysBefore("2026-03-01", 1), daysBefore("2028-03-01", 1), daysBefore("2026-01-01", 1)]).toEqual([
    "2026-02-28",
    "2028-02-29",
    "2025-12-31",
  ]);
});

test("without a zone in the link, that of this machine is meant", () => {
  expect(zoneOf(query(""))).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
});

test("a zone that nobody here can tell times in is as good as none", () => {
  expect(zoneOf(query("timezone=Nowhere/Land"))).toBe(zoneOf(query("")));
  expect(zoneOf(query("timezone=Asia/Tokyo"))).toBe("Asia/Tokyo");
});

test("conditions are read from a link and put to the API in the same words", () => {
  const link = query("where[plan]=pro&days=7&where[a[b]]=x");
  expect(conditionsOf(link)).toEqual([
    { property: "plan", value: "pro" },
    { property: "a[b]", value: "x" },
  ]);
  expect(whereOf(link)).toEqual({ "where[plan]": "pro", "where[a[b]]": "x" });
});
