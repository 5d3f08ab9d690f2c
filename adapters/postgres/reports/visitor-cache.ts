import type { VisitorsRow } from "../../rollups/store.ts";
import type { StoredVisitors } from "./rollup-tables.ts";

// Reports about users read the sets of users of every hour of their range: megabytes, of which only the last hours change.

/** A row without its users. It has the same users as long as it is of the same build. */
export type VisitorsVersion = Omit<StoredVisitors, "users">;

const MOST_BYTES = 32 << 20;
// What an entry takes besides its users.
const ENTRY_BYTES = 300;

const sizeOf = ({ users }: VisitorsRow): number => users.length + ENTRY_BYTES;
const keyOf = ({ type_id, hour, part }: VisitorsVersion): string => `${type_id} ${hour} ${part}`;

/** Sets of users that were read before. Where they take too much memory, those that were not used for longest go. */
export class VisitorCache {
  readonly #rows = new Map<string, StoredVisitors>();
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** Undefined where the row is not kept, or as of another build. */
  get(version: VisitorsVersion): VisitorsRow | undefined {
    const key = keyOf(version);
    const row = this.#rows.get(key);
    if (row?.build !== version.build) return undefined;
    this.#rows.delete(key);
    this.#rows.set(key, row);
    return row;
  }

  add(row: StoredVisitors): void {
    this.#remove(keyOf(row));
    this.#rows.set(keyOf(row), row);
    this.#bytes += sizeOf(row);
    for (const key of this.#rows.keys()) {
      if (this.#bytes <= this.#mostBytes) return;
      this.#remove(key);
    }
  }

  #remove(key: string): void {
    const row = this.#rows.get(key);
    if (row === undefined) return;
    this.#rows.delete(key);
    this.#bytes -= sizeOf(row);
  }
}
