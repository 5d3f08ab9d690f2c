import { describe, expect, test } from "vitest";
import type { ExperimentCells } from "../../../../domain/experiments/cells.ts";
import type { Experiment } from "../../../../domain/experiments/experiment.ts";
import type { MetricDefinition } from "../../../../domain/experiments/metric-declaration.ts";
import { resultsOf } from "../../../../domain/experiments/results/results.ts";
import { NOW } from "../../../world.ts";
import { cellsOf, crash, experimentOf, experimentWith, signup } from "./stated-cells.ts";

const verdictOf = (cells: ExperimentCells, changes: Partial<Experiment> = {}) =>
  resultsOf(experimentWith(changes), cells, NOW).verdict;

const withCrash = (margin?: MetricDefinition["margin"]): Partial<Experiment> => ({
  metrics: [signup, { ...crash, margin }],
});

const stopped = { status: "stopped", stopped_at: NOW } as const;
const revenue: MetricDefinition = {
  metric_name: "revenue",
  kind: "mean",
  direction: "increase",
  role: "primary",
  unit: "EUR",
};
const alternating = (count: number, low: number, high: number): number[] =>
  Array.from({ length: count }, (_, index) => (index % 2 === 0 ? low : high));

describe("the verdict", () => {
  test("names the winner, with its figures and what to do", () => {
    const cells = cellsOf({ users: 5_000, signup: 500 }, { users: 5_000, signup: 650 });
    expect(verdictOf(cells)).toStrictEqual({
      kind: "winner",
      metric_name: "signup",
      variant_name: "B",
      summary:
        "“B” is better than “A” on signup: 13 % of users against 10 %, +3 points (between +0.932 and +5.07). You can ship it.",
    });
  });

  test("of a winner says what a guardrail without a margin does not exclude", () => {
    const cells = cellsOf(
      { users: 8_000, signup: 800, crash: 200 },
      { users: 8_000, signup: 1_040, crash: 205 },
    );
    expect(verdictOf(cells, withCrash())).toStrictEqual({
      kind: "winner",
      metric_name: "signup",
      variant_name: "B",
      summary:
        "“B” is better than “A” on signup: 13 % of users against 10 %, +3 points (between +1.33 and +4.67). You can ship it. crash may still be up to 0.885 points worse.",
    });
  });

  test("names the other variants that are better too", () => {
    const cells = cellsOf(
      { users: 5_000, signup: 500 },
      { users: 5_000, signup: 700 },
      { users: 5_000, signup: 720 },
    );
    const { variant_name, summary } = resultsOf(experimentOf(3), cells, NOW).verdict;
    expect(variant_name).toBe("C");
    expect(summary).toMatch(/ “B” is also better than “A”; which of the two is better is not settled\.$/);
  });

  test("of a variant that harms a guardrail is not to ship it", () => {
    const cells = cellsOf(
      { users: 5_000, signup: 500, crash: 125 },
      { users: 5_000, signup: 700, crash: 875 },
    );
    expect(verdictOf(cells, withCrash(0.005))).toStrictEqual({
      kind: "guardrail_harmed",
      metric_name: "signup",
      variant_name: "B",
      summary:
        "“B” is better on signup (14 % of users against 10 %, +4 points, between +1.9 and +6.1) but crash got worse: 17.5 % of users against 2.5 %, +15 points (between +13.1 and +16.9). Do not ship it as it is.",
    });
  });

  test("of a guardrail that may be worse than its margin is to wait", () => {
    const cells = cellsOf(
      { users: 5_000, signup: 500, crash: 125 },
      { users: 5_000, signup: 700, crash: 125 },
    );
    expect(verdictOf(cells, withCrash(0.005))).toStrictEqual({
      kind: "guardrail_open",
      metric_name: "signup",
      variant_name: "B",
      summary:
        "“B” is better on signup (14 % of users against 10 %, +4 points, between +1.9 and +6.1), but crash may still be up to 1.01 points worse, more than the 0.5 you allowed. Let it run.",
    });
    expect(verdictOf(cells, withCrash({ relative: 0.1 })).summary).toMatch(
      /, but crash may still be up to [\d.]+ % worse, more than the 10 % you allowed\. Let it run\.$/,
    );
    expect(verdictOf(cells, { ...withCrash(0.02) }).kind).toBe("winner");
  });

  test("of a guardrail exactly at its margin is not to ship, however many users there are", () => {
    const cells = cellsOf(
      { users: 2_000_000, signup: 200_000, crash: 50_000 },
      { users: 2_000_000, signup: 240_000, crash: 60_000 },
    );
    expect(verdictOf(cells, withCrash(0.005)).kind).toBe("guardrail_harmed");
    const unharmed = cellsOf(
      { users: 2_000_000, signup: 200_000, crash: 50_000 },
      { users: 2_000_000, signup: 240_000, crash: 50_000 },
    );
    expect(verdictOf(unharmed, withCrash(0.005)).kind).toBe("winner");
  });

  test("names the loser, and the guardrail that makes it one", () => {
    const worse = cellsOf({ users: 5_000, signup: 650 }, { users: 5_000, signup: 500 });
    expect(verdictOf(worse)).toStrictEqual({
      kind: "loser",
      metric_name: "signup",
      variant_name: "B",
      summary:
        "“B” is worse than “A” on signup: 10 % of users against 13 %, −3 points (between −5.07 and −0.932). Do not ship it.",
    });
    const crashing = cellsOf(
      { users: 5_000, signup: 500, crash: 125 },
      { users: 5_000, signup: 500, crash: 500 },
    );
    expect(verdictOf(crashing, withCrash())).toMatchObject({ kind: "loser", metric_name: "crash" });
    expect(verdictOf(crashing, withCrash()).summary).toMatch(
      /^“B” makes crash worse than “A”: 10 % of users against 2\.5 %, \+7\.5 points/,
    );
  });

  test("of several losers names the others too, and those that are open", () => {
    const cells = cellsOf(
      { users: 5_000, signup: 700 },
      { users: 5_000, signup: 500 },
      { users: 5_000, signup: 400 },
      { users: 5_000, signup: 690 },
    );
    const { variant_name, summary } = resultsOf(experimentOf(4), cells, NOW).verdict;
    expect(variant_name).toBe("C");
    expect(summary).toMatch(
      / Do not ship it\. “B” is also worse than “A” on signup\. “D” is not settled yet\.$/,
    );
  });

  test("of a relative margin whose control is close to 0 says why it cannot be kept", () => {
    const cells = cellsOf({ users: 5_000, signup: 500, crash: 1 }, { users: 5_000, signup: 700, crash: 1 });
    const { kind, summary } = verdictOf(cells, withCrash({ relative: 0.1 }));
    expect(kind).toBe("guardrail_open");
    expect(summary).toMatch(
      /, but crash of “A” is too close to 0 to say what 10 % of it are\. Let it run\.$/,
    );
  });

  test("of a decrease wins where less is better", () => {
    const cells = cellsOf({ users: 5_000, signup: 650 }, { users: 5_000, signup: 500 });
    expect(verdictOf(cells, { metrics: [{ ...signup, direction: "decrease" }] }).kind).toBe("winner");
  });

  test("says what the data still allow while they allow both", () => {
    const cells = cellsOf({ users: 2_000, signup: 200 }, { users: 2_000, signup: 210 });
    expect(verdictOf(cells)).toStrictEqual({
      kind: "no_difference_yet",
      metric_name: "signup",
      variant_name: null,
      summary:
        "No difference yet. “B” cannot be told from “A” on signup: 10.5 % of users against 10 %, +0.5 points (between −2.51 and +3.51). Let it run, or stop it if a difference within that range does not matter to you.",
    });
    expect(verdictOf(cells, stopped)).toStrictEqual({
      kind: "no_difference",
      metric_name: "signup",
      variant_name: null,
      summary:
        "No difference found. “B” cannot be told from “A” on signup: 10.5 % of users against 10 %, +0.5 points (between −2.51 and +3.51). If you must choose, “B” is more likely to be the better one: 70 in 100, with an expected loss of 0.183 points.",
    });
  });

  test("of several variants that cannot be told apart speaks of all, and at the end of the likeliest best", () => {
    const cells = cellsOf(
      { users: 2_000, signup: 200 },
      { users: 2_000, signup: 170 },
      { users: 2_000, signup: 212 },
    );
    const figures = "8.5 % of users against 10 %, −1.5 points (between −4.57 and +1.57)";
    const found = `No variant can be told from “A” on signup. “B” differs most: ${figures}.`;
    expect(resultsOf(experimentOf(3), cells, NOW).verdict.summary).toBe(
      `No difference yet. ${found} Let it run, or stop it if a difference within that range does not matter to you.`,
    );
    expect(resultsOf(experimentOf(3, stopped), cells, NOW).verdict.summary).toBe(
      `No difference found. ${found} If you must choose, “C” is the most likely to be the best: 73 in 100.`,
    );
  });

  test("of a paused experiment is to let it run again", () => {
    const paused = { status: "paused" } as const;
    const alike = cellsOf({ users: 2_000, signup: 200 }, { users: 2_000, signup: 210 });
    expect(verdictOf(alike, paused).summary).toMatch(
      / It is paused: let it run again, or stop it if a difference within that range does not matter to you\.$/,
    );
    const few = cellsOf({ users: 10 }, { users: 10 });
    expect(verdictOf(few, paused).summary).toMatch(
      / are needed\. It is paused: let it run again to know more\.$/,
    );
  });

  test("of a ratio without denominators says what is missing", () => {
    const ratio = { ...revenue, kind: "ratio", denominator: "orders" } as const;
    expect(verdictOf(cellsOf({ users: 400 }, { users: 400 }), { metrics: [ratio] }).summary).toBe(
      "Too early to say: there is nothing to divide revenue by so far in one of the variants. Let it run.",
    );
  });

  test("waits for the planned users, and reads them once", () => {
    const planned_users = 7_678;
    const cells = cellsOf({ users: 3_839, signup: 384 }, { users: 3_839, signup: 461 });
    const complete = { ...cells, planned_users_reached_at: NOW };
    expect(verdictOf(complete, { planned_users })).toMatchObject({ kind: "winner" });
    expect(verdictOf(cells, { planned_users: 7_932 }).summary).toMatch(
      /^7,678 of 7,932 planned users: read it when they are complete\. No difference yet\./,
    );
    expect(verdictOf(cells, { planned_users: 7_932, ...stopped }).summary).toMatch(
      /^It was stopped at 7,678 of 7,932 planned users\. No difference found\./,
    );
    expect(verdictOf(complete, { planned_users, window_days: 7, ...stopped }).summary).toMatch(
      /^All 7,678 planned users came, but it was stopped before their window was over\. No difference found\./,
    );
  });

  test.each([
    [
      "users",
      cellsOf({ users: 49, signup: 10 }, { users: 49, signup: 40 }),
      [signup],
      "“A” has 49 users so far, and 50 are needed",
    ],
    [
      "values",
      cellsOf({ users: 400 }, { users: 400, revenue: alternating(90, 1, 3) }),
      [revenue],
      "0 users of “A” have any revenue so far, and 50 are needed",
    ],
  ])("is withheld with too few %s, however large the difference", (_what, cells, metrics, why) => {
    expect(verdictOf(cells, { metrics })).toStrictEqual({
      kind: "too_early",
      metric_name: metrics[0]?.metric_name,
      variant_name: null,
      summary: `Too early to say: ${why}. Let it run.`,
    });
  });

  test("of a conversion that a whole arm lacks comes with a caution", () => {
    const cells = cellsOf({ users: 5_000 }, { users: 5_000, signup: 200 });
    const { kind, summary } = verdictOf(cells);
    expect(kind).toBe("winner");
    expect(summary).toMatch(
      / Nobody in “A” has one: if that is a surprise, check that its values are being sent\.$/,
    );
  });

  test("speaks of money in its unit, and of its cap", () => {
    const cells = cellsOf(
      { users: 2_000, revenue: alternating(1_000, 1, 3) },
      { users: 2_000, revenue: alternating(1_000, 2, 4) },
    );
    const { summary } = verdictOf(cells, { metrics: [{ ...revenue, cap: 500 }] });
    expect(summary).toBe(
      "“B” is better than “A” on revenue (at most 500 per user): 1.5 EUR per user against 1, +0.5 (between +0.356 and +0.644). You can ship it.",
    );
  });

  test("of metrics that nobody declared only describes", () => {
    const cells = cellsOf(
      { users: 5_000, clicks: alternating(2_000, 1, 2) },
      { users: 5_000, clicks: alternating(2_400, 1, 2) },
    );
    expect(verdictOf(cells, { metrics: [] })).toStrictEqual({
      kind: "undeclared",
      metric_name: "clicks",
      variant_name: "B",
      summary:
        "“B” has more clicks per user than “A”: 0.72 against 0.6, +0.12 (between +0.0673 and +0.173). No metric was declared, so whether more is better is yours to say: declare it to get a verdict.",
    });
    const alike = cellsOf(
      { users: 5_000, clicks: alternating(2_000, 1, 2) },
      { users: 5_000, clicks: alternating(2_010, 1, 2) },
    );
    expect(verdictOf(alike, { metrics: [] })).toMatchObject({ kind: "undeclared", variant_name: null });
    const guardrail: MetricDefinition = { ...revenue, metric_name: "clicks", role: "guardrail" };
    expect(verdictOf(alike, { metrics: [guardrail] }).summary).toMatch(
      / No primary metric was declared, so nothing is decided: declare one to get a verdict\.$/,
    );
  });

  test("is withdrawn when the split is broken, whatever the figures say", () => {
    const cells = cellsOf({ users: 2_000, signup: 200 }, { users: 2_400, signup: 500 });
    const even = [
      { variant_id: 1, weight: 1 },
      { variant_id: 2, weight: 1 },
    ];
    const broken = { ...cells, periods: [{ started_at: NOW, weights: even }] };
    expect(resultsOf(experimentWith(), broken, NOW)).toMatchObject({
      sample_ratio: { ok: false, leaked_users: 0, reason: "BROKEN_SPLIT" },
      verdict: {
        kind: "broken_split",
        variant_name: null,
        summary:
          "The split itself is broken, so no figure can be trusted: 2,000 users in “A” instead of 2,200 and 2,400 users in “B” instead of 2,200. Find out why before you decide anything.",
      },
    });
  });

  test.each([
    [
      "no user",
      { users: 0 },
      {},
      "No user has been assigned yet, so there is nothing to judge: if that is a surprise, check that your program asks for variants.",
    ],
    [
      "no user, because it is a draft,",
      { users: 0 },
      { status: "draft" },
      "This is a draft: nobody is assigned until it runs.",
    ],
    [
      "no metric",
      { users: 100 },
      { metrics: [] },
      "No metric has been declared or tracked yet, so there is nothing to judge: declare one, or track one.",
    ],
  ] as const)("of an experiment with %s says so", (_what, arm, changes, summary) => {
    expect(verdictOf(cellsOf(arm, arm), changes)).toStrictEqual({
      kind: "no_data",
      metric_name: null,
      variant_name: null,
      summary,
    });
  });

  test("asks more of each variant the more of them there are", () => {
    const stated = [
      { users: 2_000, signup: 200 },
      { users: 2_000, signup: 266 },
      { users: 2_000, signup: 200 },
    ];
    expect(verdictOf(cellsOf(...stated.slice(0, 2))).kind).toBe("winner");
    expect(resultsOf(experimentOf(3), cellsOf(...stated), NOW).verdict.kind).toBe("no_difference_yet");
  });
});
