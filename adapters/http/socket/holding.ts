/** Memory that a client occupies until it goes on: for a body that it still sends, or an answer that it still reads. */
export interface Held {
  readonly since: number;
  /** Frees the memory. It has been removed from the holding before. */
  drop(): void;
}

/** The memory that all clients hold, up to a bound. */
export interface Holding {
  /** Notes how many bytes an item holds now. */
  hold(item: Held, bytes: number): void;
  remove(item: Held): void;
}

/**
 * Beyond the bound the largest and slowest is dropped: the one with the most bytes times milliseconds. So clients that
 * stall never displace one that is small or has just come.
 */
export function createHolding(maxBytes: number): Holding {
  const bytesOf = new Map<Held, number>();
  let allBytes = 0;

  function largestAndSlowest(): Held | undefined {
    const now = performance.now();
    let found: Held | undefined;
    let most = -1;
    for (const [item, bytes] of bytesOf) {
      const cost = bytes * (now - item.since + 1);
      if (cost > most) [most, found] = [cost, item];
    }
    return found;
  }

  function remove(item: Held): void {
    allBytes -= bytesOf.get(item) ?? 0;
    bytesOf.delete(item);
  }

  return {
    hold(item, bytes) {
      allBytes += bytes - (bytesOf.get(item) ?? 0);
      bytesOf.set(item, bytes);
      while (allBytes > maxBytes) {
        const dropped = largestAndSlowest();
        if (dropped === undefined) return;
        remove(dropped);
        dropped.drop();
      }
    },
    remove,
  };
}
