import { ROOT, type RunningChild, startChild, startContender } from "../processes.ts";

const KEY = "bench-key-of-enough-characters";

/** Headers of an authorized client: the measured server checks keys. */
export const AUTHORIZED = { authorization: `Bearer ${KEY}` };

/** Starts our server as `npm run serve` does, with keys, on a free port. */
export const startAnalytics = (
  database: string,
  settings: Record<string, string> = {},
): Promise<RunningChild> =>
  startChild({
    args: [...profiling(), `${ROOT}dist/serve.mjs`],
    env: { ANALYTICS_PORT: "0", ANALYTICS_DATABASE: database, ANALYTICS_ADMIN_KEYS: KEY, ...settings },
  });

// BENCH_PROFILE names a folder for CPU profiles, written when the server stops.
const profiling = (): string[] =>
  process.env.BENCH_PROFILE === undefined
    ? []
    : ["--cpu-prof", `--cpu-prof-dir=${process.env.BENCH_PROFILE}`];

/** Starts our server without rollups: it only stores events. */
export const startWithoutRollups = (database: string): Promise<RunningChild> =>
  startContender("no-rollups-server", database, KEY);

/** Sends a setup request before the measurement. */
export async function prepare<T>(url: string, path: string, body: unknown): Promise<T> {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { ...AUTHORIZED, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}
