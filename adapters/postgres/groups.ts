import { Failure } from "../../domain/failure.ts";

/** Joins requests of one turn of the event loop, and those that arrive while the database is busy, into one statement. */
export interface Groups<Item, Answer> {
  /** The answers to these, in their order; they are stored together or not at all. */
  join(items: readonly Item[]): Promise<readonly Answer[]>;
  /** Whether less is waiting than the lanes take at once. */
  hasRoom(): boolean;
  /** The number of items that no lane has taken yet. */
  itemsWaiting(): number;
  /** Fulfils when everything accepted so far is settled. */
  drain(): Promise<void>;
}

interface Job<Item, Answer> {
  readonly items: readonly Item[];
  readonly rows: number;
  fulfil(answers: readonly Answer[]): void;
  reject(error: unknown): void;
}

// Limit of rows in one transaction, as some engines advise. A single call with more is not divided: it is all or none.
const MAX_ROWS = 1_000;
// A second's work at the slowest rate measured. More is refused, because latency would grow without bound.
const MAX_WAITING = 20_000;
// While one statement waits for the disk, another is prepared. More of them only wait for each other.
const LANES = 2;
// The second lane is for a queue of at least this many items. A shorter queue makes one group instead of two small ones: each
// statement has its fixed cost.
const MANY_WAITING = 32;

/**
 * `run` answers for each of the items in their order, and must store all of them or none. `rowsOf` is the number of rows
 * that an item makes.
 */
export function createGroups<Item, Answer>(
  run: (items: readonly Item[]) => Promise<readonly Answer[]>,
  rowsOf: (item: Item) => number = () => 1,
): Groups<Item, Answer> {
  let waiting: Job<Item, Answer>[] = [];
  let itemsWaiting = 0;
  let running = 0;
  let scheduled = false;
  const idle: (() => void)[] = [];

  function take(): Job<Item, Answer>[] {
    let rows = 0;
    let count = 0;
    for (const job of waiting) {
      if (count > 0 && rows + job.rows > MAX_ROWS) break;
      rows += job.rows;
      count += 1;
    }
    const taken = waiting.slice(0, count);
    waiting = waiting.slice(count);
    for (const { items } of taken) itemsWaiting -= items.length;
    return taken;
  }

  async function settleAll(jobs: readonly Job<Item, Answer>[]): Promise<void> {
    const answers = await run(jobs.flatMap((job) => job.items));
    let from = 0;
    for (const { items, fulfil } of jobs) {
      fulfil(answers.slice(from, from + items.length));
      from += items.length;
    }
  }

  async function settle(jobs: readonly Job<Item, Answer>[]): Promise<void> {
    try {
      await settleAll(jobs);
    } catch (error) {
      if (jobs.length === 1 || error instanceof Failure) for (const job of jobs) job.reject(error);
      // One of the jobs is at fault. Run one by one, only that one fails.
      else for (const job of jobs) await settle([job]);
    }
  }

  async function work(): Promise<void> {
    running += 1;
    while (waiting.length > 0) await settle(take());
    running -= 1;
    if (running === 0) for (const wake of idle.splice(0)) wake();
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (running === 0 || (running < LANES && itemsWaiting >= MANY_WAITING)) void work();
    });
  }

  return {
    join(items) {
      if (items.length === 0) return Promise.resolve([]);
      if (itemsWaiting > 0 && itemsWaiting + items.length > MAX_WAITING) return Promise.reject(overloaded());
      return new Promise((fulfil, reject) => {
        const rows = items.reduce((sum, item) => sum + rowsOf(item), 0);
        waiting.push({ items, rows, fulfil, reject });
        itemsWaiting += items.length;
        schedule();
      });
    },
    hasRoom: () => itemsWaiting < LANES * MAX_ROWS,
    itemsWaiting: () => itemsWaiting,
    drain: () =>
      waiting.length === 0 && running === 0
        ? Promise.resolve()
        : new Promise<void>((resolve) => idle.push(resolve)),
  };
}

const overloaded = (): Failure =>
  new Failure("unavailable", "More arrives than the database can store; nothing was stored. Send it again.", {
    retryAfterSeconds: 1,
  });
