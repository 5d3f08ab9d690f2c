import { describe, expect, test } from "vitest";
import { planTrend, TrendQuery } from "../../../domain/reports/trend.ts";
import { isoTime } from "../../../domain/time.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");

function planned(query: object) {
  const plan = planTrend(TrendQuery.parse(query), NOW);
  if ("faults" in plan) throw new Error(JSON.stringify(plan.faults));
  return plan.value;
}

const startsOf = (query: object) => planned(query).buckets.map(({ start }) => start.slice(0, 16));
const completeOf = (query: object) => planned(query).buckets.map(({ complete }) => complete);

describe("the plan of a trend", () => {
  test("counts all events of the last thirty days by day, without parameters", () => {
    const { question, buckets } = planned({});
    const { edges, ...rest } = question;
    expect(rest).toEqual({ event_types: [], measure: "count", where: [], breakdown: undefined, limit: 10 });
    expect(edges).toHaveLength(31);
    expect(buckets).toHaveLength(30);
    expect(buckets[0]).toEqual({ start: "2026-10-24T00:00:00.000Z", complete: true });
    expect(buckets[29]).toEqual({ start: "2026-11-22T00:00:00.000Z", complete: false });
  });

  test("cuts the first and the last bucket to the range, and marks them as not complete", () => {
    const range = { from: "2026-11-20T06:00:00Z", to: "2026-11-22T06:00:00Z" };
    const { question, buckets } = planned(range);
    expect(question.edges.map(isoTime)).toEqual([
      "2026-11-20T06:00:00.000Z",
      "2026-11-21T00:00:00.000Z",
      "2026-11-22T00:00:00.000Z",
      "2026-11-22T06:00:00.000Z",
    ]);
    expect(buckets).toEqual([
      { start: "2026-11-20T00:00:00.000Z", complete: false },
      { start: "2026-11-21T00:00:00.000Z", complete: true },
      { start: "2026-11-22T00:00:00.000Z", complete: false },
    ]);
  });

  test("marks current and future buckets as not complete", () => {
    expect(completeOf({ from: "2026-11-21", to: "2026-11-24" })).toEqual([true, false, false, false]);
    const hours = { interval: "hour", from: "2026-11-22T08:00:00Z", to: "2026-11-22T11:00:00Z" };
    expect(completeOf(hours)).toEqual([true, true, false]);
  });

  test("has buckets in local time of the zone", () => {
    const range = { from: "2026-10-24", to: "2026-10-26", timezone: "Europe/Berlin" };
    expect(startsOf(range)).toEqual(["2026-10-23T22:00", "2026-10-24T22:00", "2026-10-25T23:00"]);
    expect(startsOf({ ...range, interval: "week" })).toEqual(["2026-10-18T22:00", "2026-10-25T23:00"]);
    expect(startsOf({ ...range, interval: "month" })).toEqual(["2026-09-30T22:00"]);
    expect(startsOf({ ...range, interval: "hour" })).toHaveLength(73);
  });

  test("has one partial bucket for a range within a single period", () => {
    const { question, buckets } = planned({ from: "1000000001000", to: "1000000002000", interval: "month" });
    expect(question.edges).toEqual([1_000_000_001_000, 1_000_000_002_000]);
    expect(buckets).toEqual([{ start: "2001-09-01T00:00:00.000Z", complete: false }]);
  });

  test("allows ten thousand buckets, and refuses more with the parameter", () => {
    const query = (hours: number) => ({
      interval: "hour",
      from: "2001-01-01T00:00:00Z",
      to: isoTime(Date.UTC(2001, 0, 1, hours)),
    });
    expect(planned(query(10_000)).buckets).toHaveLength(10_000);
    expect(planTrend(TrendQuery.parse(query(10_001)), NOW)).toEqual({
      faults: [
        {
          path: "interval",
          message: "makes more than 10000 buckets of this range: choose a longer interval or a shorter range",
        },
      ],
    });
  });

  test("refuses an empty range with the parameter", () => {
    const faults = [{ path: "from", message: "must be before the end of the range, to" }];
    expect(
      planTrend(TrendQuery.parse({ from: "2026-11-22T08:00:00Z", to: "2026-11-22T08:00:00Z" }), NOW),
    ).toEqual({ faults });
  });
});
