import { describe, expect, test } from "vitest";
import {
  counted,
  dayRange,
  difference,
  differenceRange,
  duration,
  isolated,
  level,
  liftRange,
  moment,
  oneOf,
  percent,
  period,
  pValue,
  tickNumber,
  wholePercent,
} from "../../../web/dashboard/parts/format.ts";

/** With ordinary spaces, which are easier to read here. */
const plain = (text: string): string => text.replaceAll("\u00a0", " ");

describe("a figure has its unit", () => {
  test.each([
    [counted(1, "user"), "1 user"],
    [counted(12_345, "user"), "12,345 users"],
    [percent(0.25), "25.0 %"],
    [percent(null), "–"],
    [wholePercent(0.95), "95 %"],
    [level("conversion", 0.190_234), "19.02 %"],
    [level("mean", 4.2), "4.2 per user"],
    [level("count", null), "–"],
    [difference("conversion", 0.0082), "+0.82 percentage points"],
    [difference("conversion", -0.01), "−1 percentage point"],
    [difference("mean", -1.5), "−1.5 per user"],
    [difference("mean", 0), "0 per user"],
    [differenceRange("conversion", [-0.0174, 0.001]), "−1.74 to +0.1 percentage points"],
    [differenceRange("mean", [null, 2]), "no lower limit to +2 per user"],
    [difference("mean", 9.3e-11), "+9.3 × 10⁻¹¹ per user"],
    [difference("count", -2.5e18), "−2.5 × 10¹⁸ per user"],
    [level("mean", 1.0574e15), "1.057 × 10¹⁵ per user"],
    [level("mean", 998_500_000_000_000), "998,500,000,000,000 per user"],
    [liftRange([0.000_000_635, 0.000_111]), "+6.35 × 10⁻⁵ % to +0.0111 %"],
    [liftRange([-0.1, 0.25]), "−10 % to +25 %"],
    [liftRange([-0.1, null]), "−10 % to no upper limit"],
    [pValue(0.0312), "0.031"],
    [pValue(0.000_01), "below 0.001"],
    [pValue(null), "–"],
  ])("%s is %s", (shown, expected) => {
    expect(plain(shown)).toBe(expected);
  });
});

test("a right-to-left name is isolated from figures, other names are unchanged", () => {
  expect(["blue", "青い", "أزرق", "כחול 2"].map(isolated)).toEqual([
    "blue",
    "青い",
    "\u2068أزرق\u2069",
    "\u2068כחול 2\u2069",
  ]);
});

test.each([
  [0, "0"],
  [-0.5, "−0.5"],
  [20_000, "20,000"],
  [80_000_000_000_000, "80T"],
  [-1.5e-10, "−1.5 × 10⁻¹⁰"],
  [2e16, "2 × 10¹⁶"],
])("at an axis %d is %s", (value, expected) => {
  expect(plain(tickNumber(value))).toBe(expected);
});

test.each([
  ["hour", "an hour"],
  ["week", "a week"],
])("one %s is %s", (noun, expected) => {
  expect(oneOf(noun)).toBe(expected);
});

test.each([
  [0.4, "0.4 s"],
  [119, "119 s"],
  [120, "2 min"],
  [7_199, "120 min"],
  [7_200, "2 h"],
  [172_800, "2 days"],
  [2_592_000, "30 days"],
])("%d seconds are %s", (seconds, expected) => {
  expect(plain(duration(seconds))).toBe(expected);
});

test.each([
  ["hour", "25 Nov 2026, 00:00 CET"],
  ["day", "25 Nov 2026"],
  ["week", "week of 25 Nov 2026"],
  ["month", "Nov 2026"],
] as const)("a period of one %s is named by its start in its zone: %s", (interval, expected) => {
  expect(period("2026-11-24T23:00:00.000Z", interval, "Europe/Berlin")).toBe(expected);
});

test("a range is shown as its first and last day in the given zone", () => {
  const [from, to] = ["2026-10-31T23:00:00.000Z", "2026-11-30T23:00:00.000Z"];
  expect(dayRange(from, to, "Europe/Berlin")).toBe("1 Nov 2026 to 30 Nov 2026");
  expect(dayRange(from, "2026-10-31T23:00:00.001Z", "Europe/Berlin")).toBe("1 Nov 2026 to 1 Nov 2026");
});

test("a moment is shown in the given zone", () => {
  expect(moment("2026-11-24T23:05:00.000Z", "Asia/Tokyo")).toBe("25 Nov 2026, 08:05 GMT+9");
  const hours = ["2026-10-25T00:30:00.000Z", "2026-10-25T01:30:00.000Z"];
  expect(hours.map((time) => moment(time, "Europe/Berlin"))).toEqual([
    "25 Oct 2026, 02:30 CEST",
    "25 Oct 2026, 02:30 CET",
  ]);
});
