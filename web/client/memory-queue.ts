import { type Item, type Queue, weigh } from "./queue.ts";

/** The queue of a backend. It is nobody else's, so that it need not be looked through however long it is. */
export function createMemoryQueue(maxWeight: number): Queue {
  const kept = new Map<string, Item>();
  let weight = 0;

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

    add(item: Item): void {
      // As it is now, whatever becomes of its properties.
      const copy: Item = JSON.parse(JSON.stringify(item));
      kept.set(copy.message_id, copy);
      weight += weigh(copy);
      for (const oldest of kept.values()) {
        if (weight <= maxWeight) return;
        remove([oldest]);
      }
    },
  };
}
