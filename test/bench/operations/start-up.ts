import { readFileSync } from "node:fs";
import { startAnalytics } from "../contenders/analytics-server.ts";
import { type RunningChild, startContender } from "../processes.ts";
import { type Contestant, interleave, type Sample } from "../samples.ts";
import type { Operation } from "./operation.ts";

/** Resident memory in megabytes. NaN if the system is not Linux. */
function residentMegabytes(pid: number): number {
  try {
    const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) / 1024;
  } catch {
    return Number.NaN;
  }
}

/** Measures the time from the start of the process to the end of its first answer. */
async function startOnce(start: () => Promise<RunningChild>): Promise<Sample> {
  const startedAt = performance.now();
  const server = await start();
  const answer = await fetch(`${server.url}/health`);
  await answer.text();
  const p50 = performance.now() - startedAt;
  const memory = residentMegabytes(server.pid);
  await server.stop();
  return { rate: 1000 / p50, cpu: Number.NaN, p50, p99: Number.NaN, memory };
}

/** Starts a new process with an empty database for each sample. */
export const startUp: Operation = {
  name: "start",
  title: "start to first answer",
  unit: "starts/s",

  async run({ rounds }, folder) {
    let starts = 0;
    const contestants: Contestant[] = [
      { name: "hello", measure: () => startOnce(() => startContender("hello")) },
      { name: "ours", measure: () => startOnce(() => startAnalytics(`${folder}/start-${starts++}.db`)) },
    ];
    return interleave(contestants, { rounds: 2 * rounds + 1, seconds: 0 });
  },
};
