import type { Item } from "./queue.ts";

/** Items that go to one endpoint together. */
export interface Batch {
  readonly path: string;
  readonly items: Item[];
  /** How long their JSON is. */
  length: number;
}

/**
 * Puts items together in their order, no more than so many characters of them; one that is longer goes alone.
 * Those without a path stay behind.
 */
export function batchesOf(
  items: readonly Item[],
  pathOf: (item: Item) => string | null | undefined,
  maxLength: number,
): readonly Batch[] {
  const batches: Batch[] = [];
  for (const item of items) {
    const path = pathOf(item);
    if (!path) continue;
    const { length } = JSON.stringify(item);
    let batch = batches.findLast((one) => one.path === path);
    if (!batch || batch.length + length > maxLength) {
      batch = { path, items: [], length: 0 };
      batches.push(batch);
    }
    batch.items.push(item);
    batch.length += length;
  }
  return batches;
}

/** The request that carries a batch. `sent_at` lets the server see that this clock is ahead, and correct the times. */
export const bodyOf = ({ items }: Batch): string =>
  JSON.stringify({
    [items[0]?.test ? "metrics" : "events"]: items.map(({ test, ...fields }) => fields),
    sent_at: Date.now(),
  });
