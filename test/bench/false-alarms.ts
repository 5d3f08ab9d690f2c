import {
  median,
  peekingRates,
  peekingSetups,
  shareOf,
  splitAlarms,
  splitSetups,
} from "../domain/statistics/simulation.ts";

// The operating characteristics that the suite holds reduced, in full: how often a test without any effect "wins".
const REPETITIONS = Number(process.argv[2] ?? 20_000);
const SEED = 20_260_101;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

say(`${REPETITIONS} repetitions of each, seed ${SEED}\n`);
say(
  "| A/A test, looked at | p < 0.05 at the end | p < 0.05 at any look | chance to win beyond 95 % | always-valid |",
);
say("|---|---|---|---|---|");
for (const [id, setup] of Object.entries(peekingSetups)) {
  const rates = peekingRates(setup, REPETITIONS, SEED);
  const shares = [
    rates.fixed_p_at_end,
    rates.fixed_p_any_look,
    rates.chance_to_win_over_95_or_under_5_any_look,
    rates.sequential_any_look,
  ];
  say(`| ${id}, ${setup.looks} looks | ${shares.map(percent).join(" | ")} |`);
}

say(
  "\n| split of users, looked at | chi-squared alarms | sequential alarms | users until the latter (median) |",
);
say("|---|---|---|---|");
for (const [id, setup] of Object.entries(splitSetups)) {
  const { chi2_p001, ssrm_p01 } = splitAlarms(setup, REPETITIONS, SEED);
  const alarms = [chi2_p001, ssrm_p01].map((users) => percent(shareOf(users, Number.isFinite)));
  say(`| ${id}, share ${setup.share} | ${alarms.join(" | ")} | ${median(ssrm_p01)} |`);
}
