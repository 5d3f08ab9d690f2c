import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  describeRetention,
  periodsOf,
  planRetention,
  RetentionQuery,
} from "../../../domain/reports/retention.ts";
import { DAY, isoTime } from "../../../domain/time.ts";

// A Sunday.
const NOW = Date.parse("2026-11-22T10:00:00.000Z");

function planned(input: object) {
  const query = RetentionQuery.parse(input);
  const plan = planRetention(query, NOW);
  if ("faults" in plan) throw new Error(JSON.stringify(plan.faults));
  return { query, question: plan.value };
}

const datesOf = (edges: readonly number[]) => edges.map((edge) => isoTime(edge).slice(0, 10));
const meta = { source: "raw", exact: true, data_through: isoTime(NOW), elapsed_ms: 0 } as const;

describe("the plan of retention", () => {
  test("follows first-time users of any event by week over thirty days, without parameters", () => {
    const { edges, ...rest } = planned({}).question;
    expect(rest).toEqual({
      event_type: null,
      return_event_type: null,
      cohort: "first",
      cohorts: 5,
      periods: 8,
    });
    const weeks = ["2026-10-19", "2026-10-26", "2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23"];
    expect(datesOf(edges)).toEqual(weeks);
  });

  test("takes the cohort's event as the return event, unless the query names another", () => {
    expect(planned({ event_type: "signup" }).question).toMatchObject({ return_event_type: "signup" });
    const both = { event_type: "signup", return_event_type: "visit" };
    expect(planned(both).question).toMatchObject(both);
  });

  test("follows cohorts beyond the range up to the current period", () => {
    const query = { interval: "day", from: "2026-11-17", to: "2026-11-18", periods: "3" };
    const { question } = planned(query);
    expect(question.cohorts).toBe(2);
    expect(datesOf(question.edges)).toEqual([
      "2026-11-17",
      "2026-11-18",
      "2026-11-19",
      "2026-11-20",
      "2026-11-21",
    ]);
    const late = planned({ ...query, from: "2026-11-21", to: "2026-11-30" }).question;
    expect(late.cohorts).toBe(2);
    expect(datesOf(late.edges)).toEqual(["2026-11-21", "2026-11-22", "2026-11-23"]);
  });

  test("gives every cohort the requested periods, or all that have begun", () => {
    const start = fc.integer({ min: 1, max: 380 });
    const interval = fc.constantFrom("day", "week", "month");
    const periods = fc.integer({ min: 1, max: 26 });
    const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia");
    fc.assert(
      fc.property(start, interval, periods, zone, (days, length, count, timezone) => {
        const query = { from: String(NOW - days * DAY), interval: length, periods: String(count), timezone };
        const { question } = planned(query);
        const { edges, cohorts } = question;
        expect(edges).toHaveLength(cohorts + 1);
        for (let cohort = 0; cohort < cohorts; cohort += 1) {
          expect(periodsOf(question, cohort)).toBe(Math.min(count, cohorts - cohort));
        }
        expect((edges.at(-2) ?? NOW) <= NOW && NOW < (edges.at(-1) ?? 0)).toBe(true);
      }),
    );
  });

  test("has one cohort for a range in the future", () => {
    const { question } = planned({ interval: "day", from: "2026-12-01", to: "2026-12-31" });
    expect(question.cohorts).toBe(1);
    expect(datesOf(question.edges)).toEqual(["2026-12-01", "2026-12-02"]);
  });

  test("allows four hundred cohorts, and refuses more with the parameter", () => {
    const from = (days: number) => ({ interval: "day", from: String(NOW - days * DAY) });
    expect(planned(from(399)).question.cohorts).toBe(400);
    expect(planRetention(RetentionQuery.parse(from(400)), NOW)).toEqual({
      faults: [
        {
          path: "interval",
          message: "makes more than 400 cohorts of this range: choose a longer interval or a shorter range",
        },
      ],
    });
  });

  test("refuses an empty range with the parameter", () => {
    const faults = [{ path: "from", message: "must be before the end of the range, to" }];
    expect(
      planRetention(RetentionQuery.parse({ from: "2026-11-22T08:00:00Z", to: "2026-11-22T08:00:00Z" }), NOW),
    ).toEqual({ faults });
  });
});

describe("the answer to a retention query", () => {
  test("states a range of whole periods, also if the range of the query is shorter", () => {
    const { query, question } = planned({ interval: "week", from: "2026-11-11", to: "2026-11-18" });
    const counts = Array.from({ length: question.cohorts }, () => ({ users: 0, returned: [] }));
    expect(describeRetention(query, question, counts, NOW, meta)).toMatchObject({
      from: "2026-11-09T00:00:00.000Z",
      to: "2026-11-23T00:00:00.000Z",
      cohorts: [{ start: "2026-11-09T00:00:00.000Z" }, { start: "2026-11-16T00:00:00.000Z" }],
    });
  });

  test("marks the unfinished period of each active cohort", () => {
    const { query, question } = planned({
      interval: "day",
      from: "2026-11-19",
      to: "2026-11-22",
      periods: "2",
    });
    const counts = Array.from({ length: 4 }, (_, cohort) => ({
      users: 4 - cohort,
      returned: new Array<number>(periodsOf(question, cohort)).fill(1),
    }));
    const cohort = (start: string, users: number, returned: number[], unfinished: number | null) => ({
      start: `${start}T00:00:00.000Z`,
      users,
      returned,
      unfinished,
    });
    expect(describeRetention(query, question, counts, NOW, meta)).toEqual({
      event_type: null,
      return_event_type: null,
      cohort: "first",
      interval: "day",
      timezone: "UTC",
      from: "2026-11-19T00:00:00.000Z",
      to: "2026-11-23T00:00:00.000Z",
      periods: 2,
      cohorts: [
        cohort("2026-11-19", 4, [1, 1], null),
        cohort("2026-11-20", 3, [1, 1], null),
        cohort("2026-11-21", 2, [1, 1], 1),
        cohort("2026-11-22", 1, [1], 0),
      ],
      meta,
    });
  });
});
