import { expect, test } from "vitest";
import { datesOf, RelativeRange } from "../../../domain/reports/relative-range.ts";

// A Thursday.
const NOW = Date.parse("2026-11-26T10:00:00Z");

test.each([
  ["today", { from: "2026-11-26" }, { from: "2026-11-26", to: "2026-11-26" }],
  ["yesterday", { from: "2026-11-25", to: "2026-11-25" }, { from: "2026-11-25", to: "2026-11-25" }],
  ["this_week", { from: "2026-11-23" }, { from: "2026-11-23", to: "2026-11-29" }],
  ["last_week", { from: "2026-11-16", to: "2026-11-22" }, { from: "2026-11-16", to: "2026-11-22" }],
  ["this_month", { from: "2026-11-01" }, { from: "2026-11-01", to: "2026-11-30" }],
  ["last_month", { from: "2026-10-01", to: "2026-10-31" }, { from: "2026-10-01", to: "2026-10-31" }],
  ["last_1_days", { from: "2026-11-26" }, { from: "2026-11-26" }],
  ["last_30_days", { from: "2026-10-28" }, { from: "2026-10-28" }],
])("%s has its dates of now, and the whole period where it is asked for", (range, open, whole) => {
  expect(RelativeRange.parse(range)).toBe(range);
  expect([datesOf(range, "UTC", NOW), datesOf(range, "UTC", NOW, true)]).toEqual([open, whole]);
});

test("a day is that of the time zone", () => {
  const midnight = Date.parse("2026-11-25T23:30:00Z");
  expect(datesOf("today", "UTC", midnight)).toEqual({ from: "2026-11-25" });
  expect(datesOf("today", "Asia/Tokyo", midnight)).toEqual({ from: "2026-11-26" });
});

test.each(["", "tomorrow", "last_0_days", "last_12345_days", "last_x_days", "this_week "])(
  "%j is no range",
  (text) => expect(RelativeRange.safeParse(text).success).toBe(false),
);
