import type { Database } from "./database.ts";

/** Gives rows their ids before they are stored, so that a statement that runs twice stores its rows once. */
export interface Ids {
  /** New ids, in rising order. */
  take(count: number): Promise<number[]>;
  /** Forgets the ids that are left: the next ones come from a new block. */
  drop(): void;
}

// The step of the sequences in migrations.ts: each of their numbers begins a block of ids for one process.
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
    drop() {
      free = [];
    },
  };
}
