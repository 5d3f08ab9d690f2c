import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Results } from "../../domain/experiments/results/results.ts";
import { AUTHORIZED, startAnalytics } from "./contenders/analytics-server.ts";
import { inFolder, type RunningChild } from "./processes.ts";

// Imports a published A/B test of a game through HTTP, as assignments and values, and shows the results of both
// decision methods. The gzipped file has the columns userid, version, sum_gamerounds, retention_1 and retention_7.
const BATCH = 2_000;

interface Player {
  readonly user_id: string;
  readonly variant: string;
  readonly rounds: number;
  readonly retained: readonly string[];
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function readPlayers(file: string): Player[] {
  const [, ...lines] = gunzipSync(readFileSync(file)).toString().trim().split(/\r?\n/);
  return lines.map((line) => {
    const [user_id = "", variant = "", rounds, day1, day7] = line.split(",");
    const retained = [
      ...(day1 === "TRUE" ? ["retention_1"] : []),
      ...(day7 === "TRUE" ? ["retention_7"] : []),
    ];
    return { user_id, variant, rounds: Number(rounds), retained };
  });
}

/** The players in an order in which the last one never played, and so has no value that is different from none. */
function lastIdle(players: readonly Player[]): Player[] {
  const isIdle = ({ rounds, retained }: Player): boolean => rounds === 0 && retained.length === 0;
  const last = players.findIndex(isIdle);
  return [...players.slice(0, last), ...players.slice(last + 1), ...players.slice(last, last + 1)];
}

const valuesOf = ({ user_id, rounds, retained }: Player) => [
  ...retained.map((metric_name) => ({ user_id, metric_name })),
  { user_id, metric_name: "sum_gamerounds", value: rounds },
];

async function post<T>({ url }: RunningChild, path: string, body: unknown): Promise<T> {
  const headers = { ...AUTHORIZED, "content-type": "application/json", prefer: "return=minimal" };
  const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (response.status !== 201)
    throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

async function postAll(server: RunningChild, path: string, items: readonly unknown[]): Promise<number> {
  const startedAt = performance.now();
  for (let from = 0; from < items.length; from += BATCH) {
    await post(server, path, items.slice(from, from + BATCH));
  }
  return (performance.now() - startedAt) / 1000;
}

const METRICS = [
  { metric_name: "retention_7", kind: "conversion", role: "primary" },
  { metric_name: "retention_1", kind: "conversion", role: "exploratory" },
  { metric_name: "sum_gamerounds", kind: "mean", role: "exploratory" },
];

const experiment = (test_name: string, changes: object) => ({
  test_name,
  variants: [{ variant_name: "gate_30" }, { variant_name: "gate_40" }],
  metrics: METRICS,
  ...changes,
});

const digits = (value: number | null | undefined): string => value?.toPrecision(9) ?? "–";

function show({ results, sample_ratio, verdict, completed }: Results): void {
  for (const { variant_name, users, metrics } of results) {
    say(`${variant_name}: ${users} users`);
    for (const { metric_name, mean, comparison } of metrics) {
      const { difference, p_value, interval } = comparison ?? {};
      const [low, high] = interval ?? [];
      const compared = `, difference ${digits(difference)} (${digits(low)} … ${digits(high)}), p ${digits(p_value)}`;
      say(`  ${metric_name}: mean ${digits(mean)}${comparison === null ? "" : compared}`);
    }
  }
  say(`split: p ${digits(sample_ratio.p_value)}; planned sample complete: ${completed}`);
  say(verdict.summary);
}

/** Assigns all players to an experiment, tracks their values and shows the results. */
async function play(server: RunningChild, players: readonly Player[], body: object): Promise<void> {
  const { test_id } = await post<{ test_id: number }>(server, "/apiv1/ab-tests", body);
  const path = `/apiv1/ab-tests/${test_id}`;
  const assigned = players.map(({ user_id, variant }) => ({ user_id, variant }));
  const assigning = await postAll(server, `${path}/assignments`, assigned.slice(0, -1));
  const values = players.slice(0, -1).flatMap(valuesOf);
  const tracking = await postAll(server, `${path}/track/batch`, values);
  // With the last planned player the results are complete, and values that come later do not count.
  await postAll(server, `${path}/assignments`, assigned.slice(-1));
  say(
    `${players.length} assignments in ${assigning.toFixed(1)} s, ${values.length} values in ${tracking.toFixed(1)} s`,
  );
  const response = await fetch(`${server.url}${path}/results`, { headers: AUTHORIZED });
  show((await response.json()) as Results);
}

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("Name the file: npm run bench -- players <file.csv.gz>");
const players = lastIdle(readPlayers(file));
await inFolder(async (folder) => {
  const server = await startAnalytics(`${folder}/players.db`);
  try {
    say("\nSequential, decided at any time");
    await play(server, players, experiment("any_time", {}));
    say("\nFixed sample, read once after the last planned player");
    await play(server, players, experiment("planned", { planned_users: players.length }));
  } finally {
    await server.stop();
  }
});
