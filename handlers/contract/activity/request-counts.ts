/** Upper bounds of the buckets of a duration, in milliseconds. Longer requests are in none but the last, open one. */
export const DURATION_BOUNDS_MS = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 15_000,
] as const;

/** The counters of one endpoint. */
export interface EndpointCounts {
  /** The number of requests by the status of their answer. */
  readonly statuses: Map<number, number>;
  /** The number of requests by duration; each is in the first bucket whose bound it does not exceed. */
  readonly buckets: number[];
  totalMs: number;
}

/** Counts requests by endpoint and status, with their durations: two look-ups and three additions for each. */
export class RequestCounts {
  readonly #endpoints = new Map<string, EndpointCounts>();

  note(endpoint: string, status: number, durationMs: number): void {
    const counts = this.#countsOf(endpoint);
    counts.statuses.set(status, (counts.statuses.get(status) ?? 0) + 1);
    let bucket = 0;
    while (durationMs > (DURATION_BOUNDS_MS[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    counts.buckets[bucket] = (counts.buckets[bucket] ?? 0) + 1;
    counts.totalMs += durationMs;
  }

  #countsOf(endpoint: string): EndpointCounts {
    const known = this.#endpoints.get(endpoint);
    if (known !== undefined) return known;
    const buckets = Array.from({ length: DURATION_BOUNDS_MS.length + 1 }, () => 0);
    const fresh = { statuses: new Map<number, number>(), buckets, totalMs: 0 };
    this.#endpoints.set(endpoint, fresh);
    return fresh;
  }

  /** Each endpoint that had a request since the server started. */
  byEndpoint(): ReadonlyMap<string, EndpointCounts> {
    return this.#endpoints;
  }
}
