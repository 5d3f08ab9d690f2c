import type { ExpiryProgress } from "../../../domain/events/expiry.ts";
import type { ErasureFigures } from "../../../domain/people/erasure.ts";
import type { StorageFigures } from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Activity } from "../../contract/activity/activity.ts";
import { DURATION_BOUNDS_MS, type EndpointCounts } from "../../contract/activity/request-counts.ts";
import type { ProcessFigures } from "../../contract/endpoint.ts";
import { type Family, single } from "./exposition.ts";

/** Families of the counters since the start of the process. */
export function activityFamilies({ requests, refusals, eventsStored, eventsDuplicate }: Activity): Family[] {
  const endpoints = [...requests.byEndpoint()];
  return [
    {
      name: "analytics_requests_total",
      help: "Answered requests by endpoint and status.",
      type: "counter",
      samples: endpoints.flatMap(([endpoint, { statuses }]) =>
        [...statuses].map(([status, value]) => ({ labels: { endpoint, status }, value })),
      ),
    },
    {
      name: "analytics_request_duration_seconds",
      help: "Time from a request's arrival to its answer, by endpoint.",
      type: "histogram",
      samples: endpoints.flatMap(([endpoint, counts]) => histogramOf(endpoint, counts)),
    },
    single("counter", "analytics_events_stored_total", "Events that this process has stored.", eventsStored),
    single(
      "counter",
      "analytics_events_duplicate_total",
      "Events that were stored before, by their message ids.",
      eventsDuplicate,
    ),
    {
      name: "analytics_refusals_total",
      help: "Refused requests, and refused items of requests that were otherwise taken, by endpoint and code.",
      type: "counter",
      samples: refusals
        .counts()
        .map(({ endpoint, what, code, count }) => ({ labels: { endpoint, what, code }, value: count })),
    },
  ];
}

/** Buckets are cumulative: each counts all requests that took no longer than its bound. */
function histogramOf(endpoint: string, { buckets, totalMs }: EndpointCounts): Family["samples"] {
  let count = 0;
  const samples = buckets.map((requests, index) => {
    const bound = DURATION_BOUNDS_MS[index];
    count += requests;
    const le = bound === undefined ? "+Inf" : bound / 1000;
    return { suffix: "_bucket", labels: { endpoint, le }, value: count };
  });
  return [
    ...samples,
    { suffix: "_sum", labels: { endpoint }, value: totalMs / 1000 },
    { suffix: "_count", labels: { endpoint }, value: count },
  ];
}

/** The storage's figures; undefined where it cannot be read, which one figure says. */
export function storageFamilies(figures: StorageFigures | undefined, now: Instant): Family[] {
  const up = single(
    "gauge",
    "analytics_storage_up",
    "1 where the storage can be read, else 0.",
    figures === undefined ? 0 : 1,
  );
  if (figures === undefined) return [up];
  const { rowsWaiting, eventsNotInRollups, oldestNotInRollups, databaseBytes, logBytes } = figures;
  const { expiry, erasures } = figures;
  const lag = oldestNotInRollups === null ? 0 : Math.max(0, now - oldestNotInRollups) / 1000;
  return [
    up,
    single("gauge", "analytics_rows_waiting", "Rows that wait for their commit.", rowsWaiting),
    single(
      "gauge",
      "analytics_rollup_events_waiting",
      "Stored events that are not in the rollups yet.",
      eventsNotInRollups,
    ),
    single("gauge", "analytics_rollup_lag_seconds", "Age of the oldest event not in the rollups.", lag),
    single("gauge", "analytics_database_bytes", "Size of the database.", databaseBytes),
    ...(logBytes === undefined
      ? []
      : [single("gauge", "analytics_log_bytes", "Size of the database's write-ahead log.", logBytes)]),
    ...(expiry === undefined ? [] : expiryFamilies(expiry)),
    ...erasureFamilies(erasures),
  ];
}

const lastRun = (name: string, help: string, at: Instant | null): Family[] =>
  at === null ? [] : [single("gauge", `${name}_timestamp_seconds`, help, at / 1000)];

const expiryFamilies = ({ removed, pending, last_run }: ExpiryProgress): Family[] => [
  single(
    "counter",
    "analytics_expired_events_total",
    "Events that this process has removed because of their age.",
    removed,
  ),
  single("gauge", "analytics_expiry_pending", "1 where more old events are due, else 0.", pending ? 1 : 0),
  ...lastRun("analytics_expiry_last_run", "When all old events were last removed.", last_run),
];

const erasureFamilies = ({ finished, events, last_at, waiting }: ErasureFigures): Family[] => [
  single("counter", "analytics_erasures_total", "Users that this process has erased.", finished),
  single("counter", "analytics_erased_events_total", "Events of users that this process has erased.", events),
  single("gauge", "analytics_erasures_waiting", "Users who are being erased.", waiting),
  ...lastRun("analytics_erasure_last", "When a user was last erased.", last_at),
];

// The names are those that Prometheus client libraries use, so that existing dashboards show them.
export const processFamilies = (version: string, figures: ProcessFigures): Family[] => [
  {
    name: "analytics_info",
    help: "The version of the server.",
    type: "gauge",
    samples: [{ labels: { version }, value: 1 }],
  },
  single("counter", "process_cpu_seconds_total", "CPU time that the process has used.", figures.cpuSeconds),
  single("gauge", "process_resident_memory_bytes", "Memory that the process holds.", figures.residentBytes),
  single("gauge", "process_start_time_seconds", "When the process started.", figures.startedAt / 1000),
  single("gauge", "nodejs_heap_size_used_bytes", "Memory of JavaScript objects.", figures.heapBytes),
  single(
    "counter",
    "nodejs_eventloop_active_seconds_total",
    "Time in which the event loop was busy: at a rate of 1 the process can do no more.",
    figures.eventLoopActiveSeconds,
  ),
];
