import type { Store } from "./store.ts";

/** What is to be sent, an event or a value: its fields on the wire, and for a value the test, by name or id. */
export interface Item {
  readonly message_id: string;
  readonly user_id: string;
  readonly timestamp: number;
  readonly test?: string | number | undefined;
  readonly [field: string]: unknown;
}

const PREFIX = "analytics.queue.";
// So that one bound holds for both: so many characters, and a thousandth as many items.
const OWN_WEIGHT = 1_000;

export const weigh = (item: Item): number => OWN_WEIGHT + JSON.stringify(item).length;

/** Whoever added an item has sent it by then, where it still could. */
export const ADOPTED_AFTER = 5_000;

/**
 * What has not been confirmed yet, in the order in which it happened. Each item has a key to itself: two tabs that add
 * at the same time change nothing of each other's, and there is no list to be read, changed and written back.
 */
export function createQueue(store: Store, maxWeight: number) {
  const own = new Set<string>();
  // What has been left lying is counted with the first item.
  let weight = maxWeight;

  /**
   * What to send from here: our own, and what others have left lying. What another tab has taken out is gone from here
   * a moment later only, so that tabs which sent each other's items at once would often send the same. Where the clock
   * was set back, what was left lying seems to come from the future.
   */
  const items = (): Item[] =>
    store.keys(PREFIX).flatMap((key) => {
      const item = store.get<Item>(key);
      // Nothing would take out what somebody else wrote without an id.
      return item?.message_id &&
        (own.has(item.message_id) || Math.abs(Date.now() - item.timestamp) > ADOPTED_AFTER)
        ? [item]
        : [];
    });

  function remove(items: readonly Item[]): void {
    for (const { message_id } of items) {
      own.delete(message_id);
      store.remove(PREFIX + message_id);
    }
  }

  /** Makes room by forgetting the oldest. */
  function trim(): void {
    weight = 0;
    for (const item of items().reverse()) {
      weight += weigh(item);
      if (weight > maxWeight) remove([item]);
    }
  }

  return {
    items,
    remove,

    /** Throws where the item cannot be written as JSON. */
    add(item: Item): void {
      store.set(PREFIX + item.message_id, item);
      own.add(item.message_id);
      weight += weigh(item);
      if (weight > maxWeight) trim();
    },
  };
}

export type Queue = ReturnType<typeof createQueue>;
