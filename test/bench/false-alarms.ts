import { seededRandom } from "../../domain/statistics/seeded-random.ts";
import { checkSplit } from "../../domain/statistics/split.ts";
import {
  alike,
  conversions,
  normals,
  powerRows,
  severalArms,
  shapes,
  splits,
  uploads,
  verdictShare,
  weightChanges,
} from "../domain/statistics/simulation.ts";

// Measures the rate of false verdicts in simulated experiments without an effect, with more experiments than the test
// suite.
const TESTS = Number(process.argv[2] ?? 2_000);
const SEED = 20_260_101;
const HIGHEST = 0.05 + 2 * Math.sqrt((0.05 * 0.95) / TESTS);

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const percent = (share: number): string => (100 * share).toFixed(1);
const marked = (share: number): string => (share > HIGHEST ? `${percent(share)} (too many)` : percent(share));

say(`${TESTS} experiments per row, seed ${SEED}; limit: ${percent(HIGHEST)} %\n`);
say(`| false verdicts at any of 100 looks, in % | ${Object.keys(splits).join(" | ")} |`);
say(`|---|${"---|".repeat(Object.keys(splits).length)}`);
for (const [name, shape] of Object.entries(shapes)) {
  const shares = Object.values(splits).map((weights) => verdictShare(alike(shape, weights), TESTS, SEED));
  say(`| ${name} | ${shares.map(marked).join(" | ")} |`);
}

say("\n| weights that change, several arms, uploads | false verdicts, in % |\n|---|---|");
for (const [name, setup] of [...weightChanges, ...severalArms, ...uploads]) {
  say(`| ${name} | ${marked(verdictShare(setup, TESTS, SEED))} |`);
}

const LONG = 200_000;
say(`\n| ${LONG} users, a look every 0.5 %, ${TESTS / 10} experiments | false verdicts, in % |\n|---|---|`);
for (const [name, shape] of [
  ["conversion 10 %", conversions(0.1)],
  ["normal", normals(0, 1)],
] as const) {
  const setup = { phases: [{ weights: [0.5, 0.5], users: LONG, shapes: shape }], looks: 200 };
  say(`| ${name}, 50/50 | ${percent(verdictShare(setup, TESTS / 10, SEED))} |`);
}

say("\n| a real effect | detected, in % | detected when the method was chosen |\n|---|---|---|");
for (const { name, setup, found } of powerRows) {
  say(`| ${name} | ${percent(verdictShare(setup, TESTS, SEED))} | ${found} |`);
}

/** Whether the split check ever raises an alarm for 20,000 correctly split users, checked every 20 users. */
function alarms(weights: readonly number[], random: () => number): boolean {
  const users = weights.map(() => 0);
  for (let user = 1; user <= 20_000; user++) {
    const place = random();
    let edge = 0;
    const arm = weights.findIndex((weight) => {
      edge += weight;
      return place < edge;
    });
    const found = arm < 0 ? weights.length - 1 : arm;
    users[found] = (users[found] ?? 0) + 1;
    if (user % 20 === 0 && checkSplit([{ weights, users }]).alarm) return true;
  }
  return false;
}

say("\n| a correct split, checked every 20 users | alarms, in % |\n|---|---|");
for (const [name, weights] of [...Object.entries(splits), ["twenty arms", Array(20).fill(0.05)] as const]) {
  const random = seededRandom(SEED);
  const found = Array.from({ length: TESTS }, () => alarms(weights, random)).filter(Boolean).length;
  say(`| ${name} | ${percent(found / TESTS)} |`);
}
