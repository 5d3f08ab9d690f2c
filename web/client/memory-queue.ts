import { type Item, itemOf, type NewItem, type Queue, weigh } from "./queue.ts";

/** The queue of a backend. No other process shares it, so that adding an item never reads the others. */
export function createMemoryQueue(maxWeight: number): Queue {
  const kept = new Map<string, Item>();
  let weight = 0;
  let newest = 0;

  function remove(items: readonly Item[]): void {
    for (const { message_id } of items) {
      const item = kept.get(message_id);
      if (item) weight -= weigh(item);
      kept.delete(message_id);
    }
  }

  return {
    items: () => [...kept.values()],
    remove,

    add(fields: NewItem): void {
      // A copy: the caller may change the properties before they are sent.
      const item: Item = JSON.parse(JSON.stringify(itemOf(fields, kept.size > 0 ? newest : 0)));
      kept.set(item.message_id, item);
      weight += weigh(item);
      newest = item.timestamp;
      for (const oldest of kept.values()) {
        if (weight <= maxWeight) return;
        remove([oldest]);
      }
    },
  };
}
