import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Results } from "../../domain/experiments/results.ts";
import { AUTHORIZED, startAnalytics } from "./contenders/analytics-server.ts";
import { inFolder, type RunningChild } from "./processes.ts";

// A published A/B test of a game goes in through HTTP, as its users' assignments and values, and comes out as figures.
// The file: lines of userid, version, sum_gamerounds, retention_1, retention_7, gzipped.
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

const test = {
  test_name: "first_gate",
  variants: [{ variant_name: "gate_30" }, { variant_name: "gate_40" }],
  metrics: [
    { metric_name: "retention_1", kind: "conversion" },
    { metric_name: "retention_7", kind: "conversion", primary: true },
    { metric_name: "sum_gamerounds", kind: "mean" },
  ],
};

function show({ results, sample_ratio, verdict }: Results): void {
  for (const { variant_name, users, metrics } of results) {
    say(`${variant_name}: ${users} users`);
    for (const { metric_name, mean, comparison } of metrics) {
      const p = comparison?.p_value;
      say(`  ${metric_name}: mean ${mean?.toFixed(6)}${p == null ? "" : `, p ${p.toPrecision(6)}`}`);
    }
  }
  say(`split: p ${sample_ratio.p_value?.toPrecision(12)}`);
  say(verdict.summary);
}

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("name the file: npm run bench -- players <file.csv.gz>");
const players = readPlayers(file);
await inFolder(async (folder) => {
  const server = await startAnalytics(`${folder}/players.db`);
  try {
    await post(server, "/apiv1/ab-tests", test);
    const assigned = players.map(({ user_id, variant }) => ({ user_id, variant }));
    const assigning = await postAll(server, "/apiv1/ab-tests/1/assignments", assigned);
    const values = players.flatMap(valuesOf);
    const tracking = await postAll(server, "/apiv1/ab-tests/1/track/batch", values);
    say(
      `${players.length} assignments in ${assigning.toFixed(1)} s, ${values.length} values in ${tracking.toFixed(1)} s`,
    );
    const response = await fetch(`${server.url}/apiv1/ab-tests/1/results`, { headers: AUTHORIZED });
    show((await response.json()) as Results);
  } finally {
    await server.stop();
  }
});
