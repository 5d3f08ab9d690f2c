import { expect, onTestFinished, test } from "vitest";
import type { Results } from "../../domain/experiments/results/results.ts";
import {
  AT_ANY_TIME,
  GATES,
  type Gate,
  nineDigits,
  READ_ONCE,
  SPLIT_P_VALUE,
} from "../fixtures/published-test.ts";
import { ask, post } from "./client.ts";
import { testFolder, testServer } from "./servers.ts";

// The published test of test/fixtures/published-test.ts, sent to a server user by user.

const PATIENCE_MS = 600_000;
const BATCH = 2_000;

const idOf = (variant: string, index: number): string => `${variant} ${index}`;

/**
 * Whole numbers with this sum and this sum of squares: all about the mean, and some pairs as far apart as it takes. They
 * are not the values that the players had, but no figure can tell the difference.
 */
function valuesWith({ played, rounds, squares }: Gate): number[] {
  const low = Math.floor(rounds / played);
  const more = rounds - low * played;
  const values = Array.from({ length: played }, (_, index) => (index < played - more ? low : low + 1));
  let missing = (squares - values.reduce((sum, value) => sum + value * value, 0)) / 2;
  for (let pair = 0; missing > 0; pair += 2) {
    const apart = Math.floor(Math.sqrt(missing));
    values[pair] = low + apart;
    values[pair + 1] = low - apart;
    missing -= apart * apart;
  }
  return values;
}

const assignmentsOf = ({ variant, users }: Gate) =>
  Array.from({ length: users }, (_, index) => ({ user_id: idOf(variant, index), variant }));

const converted = ({ variant }: Gate, metric_name: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({ user_id: idOf(variant, index), metric_name }));

const roundsOf = (gate: Gate) =>
  valuesWith(gate).map((value, index) => ({
    user_id: idOf(gate.variant, index),
    metric_name: "sum_gamerounds",
    value,
  }));

async function openTest(url: string, test_name: string, changes: object) {
  const created = await post(url, "/apiv1/ab-tests", {
    test_name,
    variants: GATES.map(({ variant }) => ({ variant_name: variant })),
    metrics: [
      { metric_name: "retention_7", kind: "conversion", role: "primary" },
      { metric_name: "retention_1", kind: "conversion", role: "exploratory" },
      { metric_name: "sum_gamerounds", kind: "mean", role: "exploratory" },
    ],
    ...changes,
  });
  const path = `/apiv1/ab-tests/${JSON.parse(created.body).test_id}`;
  const sendAll = async (to: string, items: readonly object[]): Promise<void> => {
    for (let from = 0; from < items.length; from += BATCH) {
      const answer = await post(url, path + to, items.slice(from, from + BATCH), {
        prefer: "return=minimal",
      });
      expect([answer.status, JSON.parse(answer.body).rejected]).toEqual([201, 0]);
    }
  };
  const results = async (): Promise<Results> =>
    JSON.parse((await ask(url, { path: `${path}/results` })).body);
  return { sendAll, results };
}

const metricOf = ({ results }: Results, variant: number, name: string) =>
  results[variant]?.metrics.find(({ metric_name }) => metric_name === name);

test(
  "decided at any time, a published test has the published figures",
  async () => {
    const { url } = await testServer(onTestFinished, await testFolder(onTestFinished));
    const { sendAll, results } = await openTest(url, "any time", {});
    for (const gate of GATES) {
      await sendAll("/assignments", assignmentsOf(gate));
      await sendAll("/track/batch", converted(gate, "retention_1", gate.day1));
      await sendAll("/track/batch", converted(gate, "retention_7", gate.day7));
      await sendAll("/track/batch", roundsOf(gate));
    }
    const shown = await results();
    for (const [name, figures] of Object.entries(AT_ANY_TIME)) {
      const [control, variant] = [metricOf(shown, 0, name), metricOf(shown, 1, name)];
      const { difference, standard_error, p_value, interval } = variant?.comparison ?? {};
      const found = [control?.mean, variant?.mean, difference, standard_error, p_value, ...(interval ?? [])];
      expect(nineDigits(found), name).toEqual(nineDigits(figures));
    }
    expect([shown.completed, shown.verdict.kind]).toEqual([false, "no_difference_yet"]);
    expect(nineDigits([shown.sample_ratio.p_value])).toEqual(nineDigits([SPLIT_P_VALUE]));
  },
  PATIENCE_MS,
);

test(
  "read once with its last planned user, a published test has the published figures",
  async () => {
    const { url } = await testServer(onTestFinished, await testFolder(onTestFinished));
    const users = GATES.flatMap(assignmentsOf);
    const { sendAll, results } = await openTest(url, "read once", { planned_users: users.length });
    await sendAll("/assignments", users.slice(0, -1));
    for (const gate of GATES) await sendAll("/track/batch", converted(gate, "retention_7", gate.day7));
    const early = await results();
    expect([early.completed, early.verdict.kind]).toEqual([false, "no_difference_yet"]);
    // Values that come after the last user do not count; the last user has none.
    await sendAll("/assignments", users.slice(-1));
    const shown = await results();
    const { p_value, interval, lift, lift_interval } = metricOf(shown, 1, "retention_7")?.comparison ?? {};
    expect(nineDigits([p_value, ...(interval ?? []), lift, ...(lift_interval ?? [])])).toEqual(
      nineDigits(READ_ONCE),
    );
    expect([shown.completed, shown.verdict.kind]).toEqual([true, "loser"]);
  },
  PATIENCE_MS,
);
