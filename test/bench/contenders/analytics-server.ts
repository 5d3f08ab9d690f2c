import { ROOT, type RunningChild, startChild, startContender } from "../processes.ts";

const KEY = "bench-key-of-enough-characters";

/** What a client of ours sends: with everything on, that is with keys. */
export const AUTHORIZED = { authorization: `Bearer ${KEY}` };

/** Our own server as `npm run serve` starts it, on a port of its own and with everything on. */
export const startAnalytics = (database: string): Promise<RunningChild> =>
  startChild({
    args: [...profiling(), `${ROOT}dist/serve.mjs`],
    env: { ANALYTICS_PORT: "0", ANALYTICS_DATABASE: database, ANALYTICS_ADMIN_KEYS: KEY },
  });

// For whoever asks where the time goes: the profile is written when the server stops.
const profiling = (): string[] =>
  process.env.BENCH_PROFILE === undefined
    ? []
    : ["--cpu-prof", `--cpu-prof-dir=${process.env.BENCH_PROFILE}`];

/** The same server, but nothing is kept for questions: it stores events and nothing else. */
export const startUncounted = (database: string): Promise<RunningChild> =>
  startContender("uncounted-server", database, KEY);

/** Sends one request that prepares what is measured afterwards. */
export async function prepare<T>(url: string, path: string, body: unknown): Promise<T> {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { ...AUTHORIZED, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}
