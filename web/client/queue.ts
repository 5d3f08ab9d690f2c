import type { Store } from "./store.ts";
import { uuid } from "./uuid.ts";

/** An event or a metric value before it is queued: its fields on the wire, and what the client needs to route it. */
export interface NewItem {
  readonly user_id: string;
  readonly session_id?: string | undefined;
  readonly event_type?: string;
  readonly properties?: unknown;
  /** The experiment of a value, by name or id. */
  readonly test?: string | number | undefined;
  readonly metric_name?: string;
  readonly value?: number;
}

/** An event or a metric value in the queue. */
export interface Item extends NewItem {
  readonly message_id: string;
  readonly timestamp: number;
}

const PREFIX = "analytics.queue.";
// Makes one limit bound both: with 1,000,000 there are at most a million characters, and at most 1,000 items.
const ITEM_WEIGHT = 1_000;
// The server stores at most 64 KiB of an event.
const MAX_WEIGHT = ITEM_WEIGHT + 65_536;

export const weigh = (item: Item): number => JSON.stringify(item).length + ITEM_WEIGHT;

/**
 * Makes an item of a call: now, but not before `earliest`. Otherwise events would change their order where the clock was
 * set back. Throws for an item that the server will never store.
 */
export function itemOf(fields: NewItem, earliest: number): Item {
  const timestamp = Math.max(Date.now(), earliest);
  const item = { message_id: uuid(timestamp), timestamp, ...fields };
  if (weigh(item) > MAX_WEIGHT) throw Error("over 64 KiB");
  return item;
}

/** By then the tab that added an item has sent it, if it could. */
export const ADOPTED_AFTER = 5_000;

/**
 * Items that the server has not confirmed yet, oldest first. Each item has its own key: tabs that add items at the same
 * time do not overwrite each other, as they would in a list that is read, changed and written back.
 */
export function createQueue(store: Store, maxWeight: number) {
  const own = new Set<string>();
  // Full, so that the first item makes the queue count what earlier pages have left.
  let weight = maxWeight;

  /**
   * The items to send from this tab: its own, and those that another tab has left unsent. If every tab sent every item
   * at once, most would be sent twice: a removal in one tab reaches the others a moment later. An item from the future
   * was queued before the clock was set back.
   */
  const items = (): Item[] =>
    store
      .keys(PREFIX)
      .map((key) => store.get<Item>(key))
      .filter(
        (item): item is Item =>
          // An entry without an id is not the client's: it could never be removed.
          !!item?.message_id &&
          (own.has(item.message_id) || Math.abs(Date.now() - item.timestamp) > ADOPTED_AFTER),
      );

  function remove(items: readonly Item[]): void {
    for (const { message_id } of items) {
      own.delete(message_id);
      store.remove(PREFIX + message_id);
    }
  }

  /** Drops the oldest items until the others fit. */
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

    /** Throws where the item cannot be stored. */
    add(fields: NewItem): void {
      // Later than the newest item: ids of one millisecond would sort at random.
      const item = itemOf(fields, (store.get<Item>(`${store.keys(PREFIX).at(-1)}`)?.timestamp ?? 0) + 1);
      store.set(PREFIX + item.message_id, item);
      own.add(item.message_id);
      weight += weigh(item);
      if (weight > maxWeight) trim();
    },
  };
}

export type Queue = ReturnType<typeof createQueue>;
