/** Spaces out work that takes milliseconds, so that small requests are answered in between. */
export interface Pace {
  /** Whether work may begin in this turn of the event loop. */
  isFree(): boolean;
  /** Runs work, and from its duration sets the time of the next. */
  run(work: () => void): void;
  /** Adds a listener that is called when work may begin again. */
  onFree(listener: () => void): void;
}

// Further work begins in the same turn until all of it has taken this long: one turn for each would make commits small.
const TURN_MS = 4;
const LONG_MS = 10;
// A small request needs this many turns: to arrive, to share a commit, and to be answered. After long work it gets
// them, so that it waits for one long work at most, and not for one in each of its turns.
const TURNS_AFTER_LONG = 6;

/** Makes a pace. With a `turnMs` of 0, each turn runs one piece of work. The clock is in milliseconds. */
export function createPace(turnMs = TURN_MS, now: () => number = () => performance.now()): Pace {
  const listeners: (() => void)[] = [];
  let spentMs = 0;
  /** The turns until `spentMs` starts at 0 again. */
  let turnsLeft = 0;
  let isCounting = false;

  function countTurn(): void {
    turnsLeft -= 1;
    if (turnsLeft > 0) {
      setImmediate(countTurn);
      return;
    }
    isCounting = false;
    spentMs = 0;
    announce();
  }

  function announce(): void {
    // Each time another listener is the first, so that none takes all turns.
    listeners.push(...listeners.splice(0, 1));
    for (const listener of [...listeners]) listener();
  }

  return {
    isFree: () => turnsLeft === 0 || (turnsLeft === 1 && spentMs < turnMs),

    run(work) {
      const startedAt = now();
      try {
        work();
      } finally {
        spentMs += now() - startedAt;
        turnsLeft = spentMs >= LONG_MS ? TURNS_AFTER_LONG : 1;
        if (!isCounting) setImmediate(countTurn);
        isCounting = true;
      }
    },

    onFree: (listener) => void listeners.push(listener),
  };
}
