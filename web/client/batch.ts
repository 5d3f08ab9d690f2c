import type { Item } from "./queue.ts";

/** Items that go to one endpoint in one request. */
export interface Batch {
  readonly path: string;
  readonly items: Item[];
  /** Characters of the items' JSON. */
  length: number;
}

/**
 * Groups items by endpoint, in order, with at most `maxLength` characters of them in a batch; a longer item gets a batch
 * of its own. Items without a path are left out.
 */
export function batchesOf(
  items: readonly Item[],
  pathOf: (item: Item) => string | null | undefined,
  maxLength: number,
): readonly Batch[] {
  const batches: Batch[] = [];
  const latest: Record<string, Batch> = {};
  for (const item of items) {
    const path = pathOf(item);
    if (!path) continue;
    const length = JSON.stringify(item).length;
    let batch = latest[path];
    if (!batch || batch.length + length > maxLength) {
      batch = latest[path] = { path, items: [], length: 0 };
      batches.push(batch);
    }
    batch.items.push(item);
    batch.length += length;
  }
  return batches;
}

/**
 * The request body for a batch. `sent_at` lets the server compare this clock with its own. Times are sent as ISO 8601: a
 * clock that shows 1970 would make small numbers of them, which the server takes for seconds and refuses.
 */
export const bodyOf = ({ items }: Batch): string =>
  JSON.stringify({
    [items[0]?.test ? "metrics" : "events"]: items.map(({ test, timestamp, ...fields }) => ({
      ...fields,
      timestamp: new Date(timestamp),
    })),
    sent_at: new Date(),
  });
