import { describe, expect, test } from "vitest";
import {
  conditionsOf,
  conditionText,
  eventsBehind,
  namesExperiments,
  variantSettings,
  variantsOf,
  whereOf,
} from "../../../web/dashboard/reports/filters.ts";
import {
  dateIn,
  daysBefore,
  hasRange,
  rangeOf,
  wholeRangeOf,
  withFixedDates,
} from "../../../web/dashboard/reports/ranges.ts";
import { zoneOf } from "../../../web/dashboard/zone.ts";

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

  // It is Tuesday, 24 November, in UTC.
  test.each<[string, string, string, string | undefined]>([
    ["today", "2026-11-24", "2026-11-24", undefined],
    ["yesterday", "2026-11-23", "2026-11-23", "2026-11-23"],
    ["this_week", "2026-11-23", "2026-11-29", undefined],
    ["last_week", "2026-11-16", "2026-11-22", "2026-11-22"],
    ["this_month", "2026-11-01", "2026-11-30", undefined],
    ["last_month", "2026-10-01", "2026-10-31", "2026-10-31"],
  ])("%s is from %s to %s, or up to now while it is not over", (name, from, whole, to) => {
    const link = query(`timezone=UTC&range=${name}`);
    expect(wholeRangeOf(link, at)).toEqual({ from, to: whole, timezone: "UTC" });
    expect(rangeOf(link, at)).toEqual({ from, to, timezone: "UTC" });
  });

  test.each([
    ["2026-11-30T12:00:00Z", "this_week", "2026-11-30", "2026-12-06"],
    ["2026-11-29T12:00:00Z", "this_week", "2026-11-23", "2026-11-29"],
    ["2028-03-31T12:00:00Z", "last_month", "2028-02-01", "2028-02-29"],
    ["2027-01-31T12:00:00Z", "last_month", "2026-12-01", "2026-12-31"],
  ])("at %s, %s is from %s to %s", (now, name, from, to) => {
    const link = query(`timezone=UTC&range=${name}`);
    expect(wholeRangeOf(link, Date.parse(now))).toEqual({ from, to, timezone: "UTC" });
  });

  test("is unknown where its name is, and dates win over a name", () => {
    expect(hasRange(query("range=toString"))).toBe(false);
    expect(rangeOf(query("range=today&from=2026-01-01"), at)).toMatchObject({ from: "2026-01-01" });
  });

  test("is fixed by its dates and its zone, and the rest of the link is kept", () => {
    expect(withFixedDates(query("days=7&measure=users"), at).toString()).toBe(
      "measure=users&from=2026-11-18&to=2026-11-24&timezone=UTC",
    );
    expect(withFixedDates(query("range=last_month&timezone=Asia/Tokyo"), at).toString()).toBe(
      "from=2026-10-01&to=2026-10-31&timezone=Asia%2FTokyo",
    );
  });
});

test("a date is the one that clocks in the zone show", () => {
  expect(["UTC", "Asia/Tokyo", "America/New_York"].map((zone) => dateIn(zone, at))).toEqual([
    "2026-11-24",
    "2026-11-25",
    "2026-11-24",
  ]);
});

test("days before a date are counted across the ends of months and of February", () => {
  expect([daysBefore("2026-03-01", 1), daysBefore("2028-03-01", 1), daysBefore("2026-01-01", 1)]).toEqual([
    "2026-02-28",
    "2028-02-29",
    "2025-12-31",
  ]);
});

test("a link without a zone, or with an unknown one, means the zone of the project", () => {
  expect(zoneOf(query(""))).toBe("UTC");
  expect(zoneOf(query("timezone=Nowhere/Land"))).toBe("UTC");
  expect(zoneOf(query("timezone=Asia/Tokyo"))).toBe("Asia/Tokyo");
});

test("conditions are read from a link, and sent to the API in the same form", () => {
  const link = query("where[plan]=pro&days=7&where[a[b]]=x&where[price][gte]=5&where[a[b]][not_set]=1");
  expect(conditionsOf(link)).toEqual([
    { property: "plan", operator: "", value: "pro" },
    { property: "a[b]", operator: "", value: "x" },
    { property: "price", operator: "gte", value: "5" },
    { property: "a[b]", operator: "not_set", value: "1" },
  ]);
  expect(conditionsOf(link).map(conditionText)).toEqual([
    "plan is pro",
    "a[b] is x",
    "price is at least 5",
    "a[b] is not set",
  ]);
  expect(whereOf(link)).toEqual({
    "where[plan]": "pro",
    "where[a[b]]": "x",
    "where[price][gte]": "5",
    "where[a[b]][not_set]": "1",
  });
});

test("variants are read from a link, and sent to the API in the same form", () => {
  const link = query("experiment[checkout]=red&where[plan]=pro&experiment[a[b]]=x");
  expect(variantsOf(link)).toEqual({ checkout: "red", "a[b]": "x" });
  expect(variantSettings(variantsOf(link))).toEqual({
    "experiment[checkout]": "red",
    "experiment[a[b]]": "x",
  });
  expect([link, query("breakdown_experiment=a"), query("breakdown=a")].map(namesExperiments)).toEqual([
    true,
    true,
    false,
  ]);
});

describe("a link from a report to its events", () => {
  test.each([
    ["event_type=a&event_type=b&breakdown=plan&measure=users", { event_type: ["a", "b"], days: "30" }],
    ["days=7&interval=week&timezone=UTC", { event_type: [], days: "7" }],
    ["from=2026-11-01&to=2026-11-02&days=7", { event_type: [], from: "2026-11-01", to: "2026-11-02" }],
    ["to=2026-11-02&where[plan]=pro", { event_type: [], to: "2026-11-02", "where[plan]": "pro" }],
  ])("of %s has the filters %j", (text, filters) => {
    expect(eventsBehind(query(text))).toEqual(filters);
  });
});
