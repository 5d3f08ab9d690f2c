import { describe, expect, test } from "vitest";
import { oracle } from "./oracle.ts";
import { median, peekingRates, peekingSetups, shareOf, splitAlarms, splitSetups } from "./simulation.ts";

/** Reduced: the bench runs the oracle's 20,000. */
const repetitions: Record<string, number> = {
  "prop-peek-01": 3_000,
  "prop-peek-02": 2_000,
  "prop-peek-03": 600,
  "prop-peek-04": 400,
  "prop-peek-05": 300,
  "prop-srm-01": 400,
  "prop-srm-02": 400,
  "prop-srm-03": 400,
};

// biome-ignore lint/suspicious/noExplicitAny: every check has its own figures.
const checkOf = (id: string): any => oracle.property_checks.checks.find((check) => check.id === id);
const repetitionsOf = (id: string) => repetitions[id] ?? 0;

/** The oracle's band where it gives one; else four standard errors of the reduced simulation around its figure. */
function expectShare(actual: number, share: number, count: number): void {
  expect(Math.abs(actual - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / count) + 0.01);
}

describe("an A/A test looked at again and again", () => {
  test.each(Object.entries(peekingSetups))("%s keeps the rates of the oracle", (id, setup) => {
    const check = checkOf(id);
    const count = repetitionsOf(id);
    const rates = peekingRates(setup, count, 20_260_101);
    const [lowest, highest] = check.accept.sequential_any_look;
    expect(rates.sequential_any_look).toBeGreaterThanOrEqual(lowest);
    expect(rates.sequential_any_look).toBeLessThanOrEqual(highest);
    if (check.accept.fixed_any_look !== undefined) {
      expect(rates.fixed_p_any_look).toBeGreaterThanOrEqual(check.accept.fixed_any_look[0]);
      expect(rates.fixed_p_any_look).toBeLessThanOrEqual(check.accept.fixed_any_look[1]);
    }
    for (const name of [
      "fixed_p_at_end",
      "fixed_p_any_look",
      "chance_to_win_over_95_or_under_5_any_look",
    ] as const) {
      expectShare(rates[name], check[name], count);
    }
  });
});

describe("the split of users looked at again and again", () => {
  test("prop-srm-01 keeps the sequential alarm of a fair split below its level, which chi-squared exceeds", () => {
    const check = checkOf("prop-srm-01");
    const count = repetitionsOf("prop-srm-01");
    const alarms = splitAlarms(splitSetups["prop-srm-01"] as never, count, 7);
    const share = (values: readonly number[]) => shareOf(values, Number.isFinite);
    expect(share(alarms.ssrm_p01)).toBeLessThanOrEqual(check.accept.ssrm_p01_any_look[1]);
    expectShare(share(alarms.chi2_p001), check.chi2_p001_any_look, count);
    expect(share(alarms.chi2_p001)).toBeGreaterThan(0.005);
  });

  test.each(["prop-srm-02", "prop-srm-03"])(
    "%s raises its alarms after the oracle's number of users",
    (id) => {
      const check = checkOf(id);
      const alarms = splitAlarms(splitSetups[id] as never, repetitionsOf(id), 11);
      const within = (actual: number, expected: number) =>
        expect(Math.abs(actual / expected - 1)).toBeLessThan(0.15);
      within(median(alarms.chi2_p001), check.chi2_p001_peeked);
      within(median(alarms.ssrm_p01), check.ssrm_p01.concentration_1000);
      within(median(alarms.ssrm_p001), check.ssrm_p001.concentration_1000);
    },
  );

  test("every property check of the oracle is simulated", () => {
    const simulated = Object.keys({ ...peekingSetups, ...splitSetups });
    expect(simulated.sort()).toEqual(oracle.property_checks.checks.map(({ id }) => id).sort());
  });
});
