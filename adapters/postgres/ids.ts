import type { Database } from "./database.ts";

/** Ids for rows before they are stored: a statement that runs twice then stores its rows once. */
export interface Ids {
  /** As many, rising. */
  take(count: number): Promise<number[]>;
}

// What the sequences of migrations.ts grow by: each of their numbers begins a block that nobody else takes from.
export const BLOCK = 1_000;

export function createIds({ query }: Database, sequence: "event_ids" | "metric_ids"): Ids {
  let free: number[] = [];

  async function fetchBlocks(count: number): Promise<void> {
    const blocks = await query<{ start: number }>(
      `select nextval('${sequence}') as start from generate_series(1, $1::int)`,
      [Math.ceil(count / BLOCK)],
    );
    const starts = blocks.map(({ start }) => start).sort((a, b) => a - b);
    const fresh = starts.flatMap((start) => Array.from({ length: BLOCK }, (_, index) => start + index));
    free = [...free, ...fresh];
  }

  return {
    async take(count) {
      while (free.length < count) await fetchBlocks(count - free.length);
      return free.splice(0, count);
    },
  };
}
