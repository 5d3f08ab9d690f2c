import { Failure } from "../../domain/failure.ts";
import type { Writer } from "./writer.ts";

/** Runs an act for each slice of the items, each slice committed alone. The answers come in the order of the items. */
export type InSlices = <Item, Answer>(
  items: readonly Item[],
  act: (slice: readonly Item[]) => readonly Answer[],
) => Promise<Answer[]>;

// About ten milliseconds of work with its commit.
const ITEMS_A_SLICE = 400;
// Some ten seconds of writing.
const MAX_WAITING = 100_000;

const overloaded = (): Failure =>
  new Failure("unavailable", "More is being written than the disk takes. Send it again.", {
    retryAfterSeconds: 1,
  });

/**
 * Writes long lists without delaying other writes: one slice at a time is in the writer's queue, so that a write that
 * arrives waits for one slice at most, however many lists are being written.
 */
export function createSlices(writer: Writer, rowsAnItem: number): InSlices {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  function writeNext<T>(rows: number, act: () => T): Promise<T> {
    const written = last.then(() => writer.write(rows, act));
    last = written.catch(() => {});
    return written;
  }

  return async <Item, Answer>(items: readonly Item[], act: (slice: readonly Item[]) => readonly Answer[]) => {
    if (waiting > 0 && waiting + items.length > MAX_WAITING) throw overloaded();
    waiting += items.length;
    try {
      const answers: Answer[] = [];
      for (let from = 0; from < items.length; from += ITEMS_A_SLICE) {
        const slice = items.slice(from, from + ITEMS_A_SLICE);
        answers.push(...(await writeNext(rowsAnItem * slice.length, () => act(slice))));
      }
      return answers;
    } finally {
      waiting -= items.length;
    }
  };
}
