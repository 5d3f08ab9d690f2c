import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Interval } from "../../../domain/reports/buckets.ts";
import { previousRange } from "../../../domain/reports/previous.ts";
import { planTrend, TrendQuery } from "../../../domain/reports/trend.ts";
import { DAY, isoTime } from "../../../domain/time.ts";

const at = (text: string): number => Date.parse(text);
/** A Wednesday. */
const NOW = at("2026-11-25T15:30:00Z");

interface Case {
  readonly interval?: Interval;
  readonly zone?: string;
  readonly now?: number;
}

function previousOf(from: string, to: string, { interval = "day", zone = "UTC", now = NOW }: Case = {}) {
  const range = previousRange({ from: at(from), to: at(to) }, interval, zone, now);
  return range && [isoTime(range.from).slice(0, 16), isoTime(range.to).slice(0, 16)];
}

describe("the period before", () => {
  test.each<[string, [string, string], Case, [string, string]]>([
    [
      "seven days is the seven days before",
      ["2026-11-10", "2026-11-17"],
      {},
      ["2026-11-03T00:00", "2026-11-10T00:00"],
    ],
    [
      "a whole month is the month before",
      ["2026-10-01", "2026-11-01"],
      {},
      ["2026-09-01T00:00", "2026-10-01T00:00"],
    ],
    [
      "a quarter is the quarter before",
      ["2026-07-01", "2026-10-01"],
      {},
      ["2026-04-01T00:00", "2026-07-01T00:00"],
    ],
    [
      "this month up to now is last month up to the same time",
      ["2026-11-01", "2026-12-01"],
      {},
      ["2026-10-01T00:00", "2026-10-25T15:30"],
    ],
    [
      "this week up to now is last week up to the same time",
      ["2026-11-23", "2026-11-30"],
      {},
      ["2026-11-16T00:00", "2026-11-18T15:30"],
    ],
    [
      "today by hour is yesterday up to the same time",
      ["2026-11-25", "2026-11-26"],
      { interval: "hour" },
      ["2026-11-24T00:00", "2026-11-24T15:30"],
    ],
    [
      "some hours of a day is as many hours before them",
      ["2026-11-24T10:00Z", "2026-11-24T13:00Z"],
      { interval: "hour" },
      ["2026-11-24T07:00", "2026-11-24T10:00"],
    ],
    [
      "thirty days by week begins on the same day of the week",
      ["2026-10-24", "2026-11-23"],
      { interval: "week" },
      ["2026-09-19T00:00", "2026-10-19T00:00"],
    ],
    [
      "days around a clock change in the zone begins at midnight there",
      ["2026-10-26T23:00Z", "2026-10-27T23:00Z"],
      { zone: "Europe/Berlin" },
      ["2026-10-25T23:00", "2026-10-26T23:00"],
    ],
    [
      "the day of a clock change is the whole day before",
      ["2026-10-24T22:00Z", "2026-10-25T23:00Z"],
      { zone: "Europe/Berlin" },
      ["2026-10-23T22:00", "2026-10-24T22:00"],
    ],
    [
      "a range that has not begun is the whole period before it",
      ["2026-12-01", "2026-12-08"],
      {},
      ["2026-11-24T00:00", "2026-12-01T00:00"],
    ],
  ])("of %s", (_name, [from, to], options, expected) => {
    expect(previousOf(from, to, options)).toEqual(expected);
  });

  test("does not exist before all times", () => {
    expect(previousOf("0000-01-01", "0000-01-03")).toBeUndefined();
    const query = TrendQuery.parse({ from: "0000-01-01", to: "0000-01-02", compare: "previous" });
    expect(planTrend(query, NOW)).toEqual({
      faults: [{ path: "compare", message: "finds no period before this range: choose another range" }],
    });
  });

  test.each<[string, [string, string], [string, string]]>([
    [
      "the 31st of a month up to now is the whole shorter month before",
      ["2026-03-01", "2026-04-01"],
      ["2026-02-01T00:00", "2026-03-01T00:00"],
    ],
    [
      "part of a month by month begins on the last day of a shorter month",
      ["2026-03-30T10:00Z", "2026-03-31T00:00Z"],
      ["2026-02-28T10:00", "2026-03-01T00:00"],
    ],
  ])("of %s", (_name, [from, to], expected) => {
    expect(previousOf(from, to, { interval: "month", now: at("2026-03-31T12:00Z") })).toEqual(expected);
  });

  const anyRange = fc
    .record({
      from: fc.integer({ min: at("2005-01-01"), max: at("2026-11-20") }),
      length: fc.oneof(fc.integer({ min: 1, max: 3 * DAY }), fc.integer({ min: DAY, max: 400 * DAY })),
      isByDate: fc.boolean(),
      interval: fc.constantFrom<Interval>("hour", "day", "week", "month"),
      timezone: fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"),
    })
    .map(({ from, length, isByDate, ...rest }) => {
      const [start, end] = [from, from + length].map((time) =>
        isoTime(time).slice(0, isByDate ? 10 : undefined),
      );
      return { from: start, to: end, compare: "previous", ...rest };
    });

  test("ends before the range begins; weeks have as many buckets", () => {
    fc.assert(
      fc.property(anyRange, (query) => {
        const plan = planTrend(TrendQuery.parse(query), NOW);
        // More than ten thousand hours.
        fc.pre(!("faults" in plan));
        const { previous, buckets, from, to } = plan.value;
        if (previous === undefined) throw new Error("a comparison was asked for");
        expect(previous.from).toBeLessThan(previous.to);
        expect(previous.to).toBeLessThanOrEqual(from);
        if (query.interval === "week" && to <= NOW) expect(previous.buckets).toHaveLength(buckets.length);
      }),
    );
  });
});
