import { performance } from "node:perf_hooks";
import type { ProcessFigures } from "../handlers/contract/endpoint.ts";

/** Figures of this process, measured at the call. */
export function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: rss,
    heapBytes: heapUsed,
    startedAt: performance.timeOrigin,
    eventLoopActiveSeconds: performance.eventLoopUtilization().active / 1000,
  };
}
