import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Experiment, MetricDefinition } from "../../../domain/experiments/experiment.ts";
import { news, sharpen, subjectOf } from "../../../domain/experiments/looks.ts";
import { assess } from "../../../domain/experiments/results.ts";
import type { ExperimentTally, MetricTally, VariantTally } from "../../../domain/experiments/tally.ts";
import { momentsOf } from "../../../domain/statistics/moments.ts";
import { NOW } from "../../world.ts";

const signup: MetricDefinition = {
  metric_name: "signup",
  kind: "conversion",
  direction: "increase",
  role: "exploratory",
};

function experimentWith(changes: Partial<Experiment> = {}): Experiment {
  return {
    id: 1,
    test_name: "button",
    description: null,
    status: "running",
    created_at: NOW,
    traffic: 1,
    confidence_level: 0.95,
    planned_users: null,
    stopped_at: null,
    winner_variant_id: null,
    metrics: [signup],
    salt: "salt",
    variants: [
      { id: 1, variant_name: "red", description: null, weight: 1, is_control: true },
      { id: 2, variant_name: "blue", description: null, weight: 1, is_control: false },
    ],
    ...changes,
  };
}

/** A metric's tally from the users' own totals. */
function metricTally(metric_name: string, totals: readonly number[]): MetricTally {
  const sum = totals.reduce((all, total) => all + total, 0);
  const moments = momentsOf(totals);
  return {
    metric_name,
    raw: { count: totals.length, sum, min: Math.min(...totals), max: Math.max(...totals) },
    count: totals.length,
    sum,
    sums: moments,
    counts: momentsOf(totals.map(() => 1)),
  };
}

const ones = (count: number): number[] => Array.from({ length: count }, () => 1);

const variantTally = (variant_id: number, users: number, metrics: readonly MetricTally[]): VariantTally => ({
  variant_id,
  users,
  metrics,
});

/** Tallies of variants 1, 2, …, assigned by equal weights all the time. */
function tallyOf(...variants: readonly VariantTally[]): ExperimentTally {
  const period = variants.map(({ variant_id, users }) => ({ variant_id, weight: 1, users }));
  return { variants, periods: [period], looks: [] };
}

const signups = (users: readonly number[], converted: readonly number[]): ExperimentTally =>
  tallyOf(
    ...users.map((count, index) =>
      variantTally(index + 1, count, [metricTally("signup", ones(converted[index] ?? 0))]),
    ),
  );

const verdictOf = (tally: ExperimentTally, changes: Partial<Experiment> = {}) =>
  assess(experimentWith(changes), tally, NOW).results.verdict;

describe("the verdict", () => {
  test("names the winner in a sentence that somebody can act on", () => {
    expect(verdictOf(signups([2000, 2000], [200, 300]))).toStrictEqual({
      kind: "winner",
      metric_name: "signup",
      variant_name: "blue",
      summary:
        "“blue” beats “red” on signup: 15 % of users against 10 % of users, a difference of +5 percentage points (between +1.74 and +8.26). You can stop and ship it.",
    });
  });

  test("tells nobody to stop or to let run what is over", () => {
    const stopped_at = NOW;
    const summaryOf = (tally: ExperimentTally) => verdictOf(tally, { status: "stopped", stopped_at }).summary;
    expect(summaryOf(signups([2000, 2000], [200, 300]))).toMatch(/\. You can ship it\.$/);
    expect(summaryOf(signups([2000, 2000], [200, 210]))).toMatch(
      /^No difference found\. .* It is over: take whichever/,
    );
    expect(summaryOf(signups([49, 49], [10, 40]))).toMatch(
      /\. It is over: to know more, run a longer one\.$/,
    );
  });

  test("writes a minus that is not overlooked", () => {
    expect(verdictOf(signups([2000, 2000], [300, 200])).summary).toContain(
      "a difference of −5 percentage points (between −8.26 and −1.74)",
    );
  });

  test("a decrease wins where less is better, and loses where more is", () => {
    const fewer = signups([2000, 2000], [300, 200]);
    expect(verdictOf(fewer)).toMatchObject({ kind: "loser", variant_name: "blue" });
    expect(verdictOf(fewer, { metrics: [{ ...signup, direction: "decrease" }] })).toMatchObject({
      kind: "winner",
      variant_name: "blue",
    });
  });

  test("says what the data still allow while they allow both", () => {
    const { kind, variant_name, summary } = verdictOf(signups([2000, 2000], [200, 210]));
    expect([kind, variant_name]).toStrictEqual(["no_difference_yet", null]);
    expect(summary).toMatch(
      /^No difference yet\. “blue” cannot be told from “red” on signup: 10\.5 % of users/,
    );
  });

  test.each([
    ["49 users", signups([49, 49], [10, 40]), "“red” has 49 users so far, and 50 are needed"],
    ["4 conversions", signups([500, 500], [4, 400]), "4 users of “red” converted so far, and 5 are needed"],
  ])("is withheld with %s, however large the difference", (_what, tally, why) => {
    expect(verdictOf(tally)).toStrictEqual({
      kind: "too_early",
      metric_name: "signup",
      variant_name: null,
      summary: `Too early to say: ${why} before there can be a verdict. Let it run.`,
    });
  });

  test("is withdrawn when the split is broken, whatever the figures say", () => {
    const { verdict, sample_ratio } = assess(
      experimentWith(),
      signups([2000, 2400], [200, 500]),
      NOW,
    ).results;
    expect(sample_ratio).toMatchObject({ ok: false, reason: "BROKEN_SPLIT" });
    expect(verdict).toMatchObject({ kind: "broken_split", variant_name: null });
    expect(verdict.summary).toContain(
      "2,000 users in “red” instead of 2,200, 2,400 users in “blue” instead of 2,200",
    );
  });

  test.each([
    ["nobody", { variants: [], periods: [], looks: [] }, {}, "Nobody has been assigned yet"],
    [
      "no metric",
      tallyOf(variantTally(1, 100, []), variantTally(2, 100, [])),
      { metrics: [] },
      "No metric has been",
    ],
  ] as const)("says that there is %s to judge", (_what, tally, changes, beginning) => {
    const verdict = verdictOf(tally as unknown as ExperimentTally, changes as Partial<Experiment>);
    expect(verdict.kind).toBe("no_data");
    expect(verdict.summary.startsWith(beginning)).toBe(true);
  });

  test("goes by the metric declared primary, else the first declared, else the one that most users have", () => {
    const metrics = ["a", "b", "c"].map((metric_name) => ({ ...signup, metric_name, kind: "mean" as const }));
    const tally = tallyOf(
      ...[1, 2].map((id) =>
        variantTally(id, 100, [
          metricTally("a", ones(10)),
          metricTally("b", ones(20)),
          metricTally("c", ones(50)),
        ]),
      ),
    );
    expect(
      verdictOf(tally, {
        metrics: metrics.map((one, index) => ({
          ...one,
          role: index === 1 ? ("primary" as const) : one.role,
        })),
      }).metric_name,
    ).toBe("b");
    expect(verdictOf(tally, { metrics }).metric_name).toBe("a");
    expect(verdictOf(tally, { metrics: [] }).metric_name).toBe("c");
  });

  test("asks more of each variant the more of them there are", () => {
    const three = experimentWith().variants.concat({
      id: 3,
      variant_name: "green",
      description: null,
      weight: 1,
      is_control: false,
    });
    // Alone blue just wins; beside green it has to share α with it.
    const converted = [200, 265, 200];
    expect(verdictOf(signups([2000, 2000], converted)).kind).toBe("winner");
    expect(verdictOf(signups([2000, 2000, 2000], converted), { variants: three }).kind).toBe(
      "no_difference_yet",
    );
  });
});

describe("what was shown", () => {
  const first = assess(experimentWith(), signups([2000, 2000], [200, 300]), NOW);
  const later = { ...signups([2400, 2400], [280, 320]), looks: first.looks };

  test("is not taken back by a later look", () => {
    const alone = assess(experimentWith(), { ...later, looks: [] }, NOW).results;
    expect(alone.verdict.kind).toBe("no_difference_yet");
    expect(assess(experimentWith(), later, NOW).results.verdict).toMatchObject({
      kind: "winner",
      variant_name: "blue",
    });
  });

  test("does not bind who asks at another confidence level, and nothing of that is kept", () => {
    const { results, looks } = assess(experimentWith(), later, NOW, { confidence: 0.99 });
    expect(results.confidence_level).toBe(0.99);
    expect(results.verdict.kind).toBe("no_difference_yet");
    expect(looks).toStrictEqual([]);
  });

  test("is kept only once there are enough users to be judged by", () => {
    const few = assess(experimentWith(), signups([40, 40], [1, 30]), NOW);
    expect(few.looks.map(({ subject }) => subject)).toStrictEqual(["split"]);
    expect(first.looks.map(({ subject }) => subject)).toStrictEqual(["split", subjectOf(2, "signup")]);
  });

  test("is worth keeping only where it says more than before", () => {
    expect(news(first.looks, first.looks)).toStrictEqual([]);
    const sharper = first.looks.map((look) => sharpen(look, { ...look, p_value: look.p_value / 2 }));
    expect(news(first.looks, sharper).length).toBeGreaterThan(0);
  });
});

describe("the figures", () => {
  const arm = fc
    .integer({ min: 60, max: 3000 })
    .chain((users) =>
      fc.record({ users: fc.constant(users), converted: fc.integer({ min: 0, max: users }) }),
    );

  /** Difference, p-values and interval ends of blue against red, those that have a sign turned round on request. */
  function signedFigures(tally: ExperimentTally, sign: 1 | -1): (number | null)[] {
    const comparison = assess(experimentWith(), tally, NOW).results.results[1]?.metrics[0]?.comparison;
    if (comparison == null) throw new Error("there is no comparison");
    const ends = [comparison.fixed, comparison.sequential].flatMap(({ p_value, interval }) => {
      const turned = (interval ?? [null, null]).map((end) => (end === null ? null : sign * end));
      return [p_value, ...(sign === 1 ? turned : turned.reverse())];
    });
    return [sign * (comparison.difference ?? 0), comparison.standard_error, ...ends];
  }

  test("of swapped variants have the other sign and nothing else", () => {
    fc.assert(
      fc.property(arm, arm, (a, b) => {
        const one = signedFigures(signups([a.users, b.users], [a.converted, b.converted]), 1);
        const other = signedFigures(signups([b.users, a.users], [b.converted, a.converted]), -1);
        for (const [index, figure] of one.entries()) {
          if (figure === null) expect(other[index]).toBeNull();
          else expect(other[index]).toBeCloseTo(figure, 9);
        }
      }),
    );
  });

  test("a sum of whole numbers gives a mean without rounding of its own", () => {
    const tally = tallyOf(
      variantTally(1, 7, [metricTally("sales", [3, 4])]),
      variantTally(2, 3, [metricTally("sales", [1])]),
    );
    const { results } = assess(experimentWith({ metrics: [] }), tally, NOW).results;
    expect(results.map(({ metrics }) => metrics[0]?.mean)).toStrictEqual([1, 1 / 3]);
  });

  test("that cannot be computed are null with the reason beside them", () => {
    const alone = signups([1, 500], [1, 100]);
    const comparison = assess(experimentWith(), alone, NOW).results.results[1]?.metrics[0]?.comparison;
    expect(comparison).toStrictEqual({
      difference: null,
      standard_error: null,
      reason: "TOO_FEW_USERS",
      fixed: { p_value: null, interval: null },
      sequential: { p_value: null, interval: null },
      adjusted: { p_value: null, method: "holm" },
      relative: { lift: null, interval: null, reason: "TOO_FEW_USERS" },
      sequential_relative: { lift: null, interval: null, reason: "TOO_FEW_USERS" },
      bayesian: { chance_to_win: null, expected_loss: null, interval: null },
      exact: null,
    });
  });

  test("are corrected for each other: the primary metric by Holm, what stands beside it by Benjamini and Hochberg", () => {
    const metrics = ["main", "one", "two"].map((metric_name) => ({ ...signup, metric_name }));
    const of = (id: number, counts: readonly number[]) =>
      variantTally(
        id,
        1000,
        counts.map((count, index) => metricTally(metrics[index]?.metric_name ?? "", ones(count))),
      );
    const tally = tallyOf(of(1, [100, 100, 100]), of(2, [120, 125, 130]));
    const { results } = assess(experimentWith({ metrics }), tally, NOW).results;
    const shown = results[1]?.metrics.map(({ comparison }) => [
      comparison?.fixed.p_value ?? 0,
      comparison?.adjusted,
    ]);
    const [main, one, two] = (shown ?? []).map(([p]) => p as number);
    expect(shown?.map(([, adjusted]) => adjusted)).toEqual([
      { p_value: main, method: "holm" },
      { p_value: one, method: "benjamini_hochberg" },
      { p_value: Math.min(2 * (two ?? 0), one ?? 0), method: "benjamini_hochberg" },
    ]);
  });

  test("of one metric alone are shown on request, the verdict being still about the primary one", () => {
    const tally = tallyOf(
      variantTally(1, 100, [metricTally("signup", ones(10)), metricTally("sales", [5, 6])]),
      variantTally(2, 100, [metricTally("signup", ones(12)), metricTally("sales", [7])]),
    );
    const { results } = assess(experimentWith(), tally, NOW, { metric: "sales" });
    expect(
      results.results.map(({ metrics, metric_count }) => [
        metrics.map((one) => one.metric_name),
        metric_count,
      ]),
    ).toStrictEqual([
      [["sales"], 2],
      [["sales"], 1],
    ]);
    expect(results.verdict.metric_name).toBe("signup");
  });
});
