import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { datesOf } from "../../../domain/reports/relative-range.ts";
import { Question, type SavedQuestionReply } from "../../../domain/reports/saved-question.ts";
import { withChanges } from "../../../web/dashboard/address.ts";
import { questionOf, settingsOf, summaryOf } from "../../../web/dashboard/questions/questions.ts";
import { rangeOf, wholeRangeOf } from "../../../web/dashboard/reports/ranges.ts";

const NOW = Date.parse("2026-11-26T10:00:00Z");

const saved = (settings: string, parameters: object, report: Question["report"] = "trend") =>
  questionOf({ report, parameters, query: new URLSearchParams(settings) });

/** The settings of the link to a question. */
const linked = (question: SavedQuestionReply["question"]): Record<string, string[]> => {
  const query = withChanges(new URLSearchParams(), settingsOf(question));
  return Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name)]));
};

describe("the question of a view", () => {
  test("keeps the variants whose people it is about, and leads back to them", () => {
    const parameters = { "experiment[checkout]": "red", breakdown_experiment: "banner" };
    const question = saved("days=30", parameters);
    expect(question.query).toEqual({ experiment: { checkout: "red" }, breakdown_experiment: "banner" });
    expect(linked(question)).toMatchObject({
      "experiment[checkout]": ["red"],
      breakdown_experiment: ["banner"],
    });
    const funnel = saved("days=30", { steps: [], experiment: { checkout: "red" } }, "funnel");
    expect(linked(funnel)).toMatchObject({ "experiment[checkout]": ["red"] });
  });

  test("keeps a range that moves, and the conditions as the API takes them in JSON", () => {
    const parameters = {
      from: "2026-10-28",
      timezone: "Europe/Berlin",
      event_type: ["buy", "view"],
      breakdown: undefined,
      "where[plan]": "pro",
      "where[price][gte]": "10",
      "where[price][lt]": "20",
    };
    const question = saved("days=30", parameters);
    expect(question).toEqual({
      report: "trend",
      range: "last_30_days",
      query: {
        timezone: "Europe/Berlin",
        event_type: ["buy", "view"],
        where: { plan: "pro", price: { gte: "10", lt: "20" } },
      },
    });
    expect(linked(question)).toEqual({
      interval: ["day"],
      timezone: ["Europe/Berlin"],
      event_type: ["buy", "view"],
      "where[plan]": ["pro"],
      "where[price][gte]": ["10"],
      "where[price][lt]": ["20"],
      days: ["30"],
    });
  });

  test("keeps a condition of a value next to comparisons of the same property", () => {
    const conditions = { "where[price]": "15", "where[price][gte]": "10" };
    expect(linked(saved("range=today", conditions))).toMatchObject({
      "where[price]": ["15"],
      "where[price][gte]": ["10"],
    });
  });

  test("keeps every other parameter that has keys, such as the variants of an experiment", () => {
    const question = saved("range=today", { "experiment[checkout]": "red", "experiment[banner]": "on" });
    expect(question.query).toEqual({ experiment: { checkout: "red", banner: "on" } });
    expect(linked(question)).toMatchObject({ "experiment[checkout]": ["red"], "experiment[banner]": ["on"] });
  });

  test("keeps the dates that the link names", () => {
    const dates = { from: "2026-11-01", to: "2026-11-30" };
    const question = saved("from=2026-11-01&to=2026-11-30&range=custom", dates);
    expect(question).toEqual({ report: "trend", range: null, query: dates });
    expect(linked(question)).toEqual({ interval: ["day"], from: [dates.from], to: [dates.to] });
  });

  test("keeps the steps of a funnel, and not the users that its view lists", () => {
    const steps = [{ event_type: "view", where: { plan: "pro" } }, { event_type: "buy" }];
    const body = { steps, window_seconds: 3600, order: "strict", users: { step: 1, outcome: "left" } };
    const question = saved("range=this_week", body, "funnel");
    expect(question).toEqual({
      report: "funnel",
      range: "this_week",
      query: { steps, window_seconds: 3600, order: "strict" },
    });
    expect(linked(question)).toEqual({
      steps: [JSON.stringify(steps)],
      window: ["3600"],
      order: ["strict"],
      range: ["this_week"],
    });
    expect(summaryOf(question)).toBe("Funnel of view → buy, this week");
  });

  test("has the range of the API where it was saved without one", () => {
    expect(linked({ report: "retention", range: null, query: {} })).toEqual({ days: ["30"] });
  });
});

describe("a range that moves", () => {
  test("has the same dates in the dashboard and in a saved question, at any time and in any zone", () => {
    const settings = fc.oneof(
      fc
        .constantFrom("today", "yesterday", "this_week", "last_week", "this_month", "last_month")
        .map((range) => `range=${range}`),
      fc.integer({ min: 1, max: 3650 }).map((days) => `days=${days}`),
    );
    const zones = fc.constantFrom("UTC", "Europe/Berlin", "Asia/Tokyo", "America/St_Johns", "Pacific/Apia");
    const instants = fc.integer({ min: Date.parse("2012-01-01"), max: Date.parse("2080-01-01") });
    fc.assert(
      fc.property(settings, zones, instants, (setting, timezone, now) => {
        const query = new URLSearchParams(setting);
        query.set("timezone", timezone);
        const { range } = Question.parse(questionOf({ report: "trend", parameters: {}, query }));
        const { from, to } = rangeOf(query, now);
        const whole = wholeRangeOf(query, now);
        const shown = [
          { from, to },
          { from: whole.from, to: whole.to },
        ];
        expect([datesOf(range ?? "", timezone, now), datesOf(range ?? "", timezone, now, true)]).toEqual(
          shown,
        );
      }),
    );
  });

  test("is relative to the time when it is opened", () => {
    expect(datesOf("last_7_days", "UTC", NOW)).toEqual({ from: "2026-11-20" });
    expect(datesOf("last_7_days", "UTC", NOW + 86_400_000)).toEqual({ from: "2026-11-21" });
  });
});
