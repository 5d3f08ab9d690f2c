import type { VisitorsRow } from "../../rollups/store.ts";
import type { StoredVisitors } from "./rollup-tables.ts";

// Reports about users read the sets of users of every hour of their range: megabytes, of which only the last hours change.

/** A row without its users. It has the same users as long as it is of the same build. */
export type VisitorsVersion = Omit<StoredVisitors, "users">;

const MOST_BYTES = 32 << 20;
// The bytes of an entry besides its users.
const ENTRY_BYTES = 300;

const sizeOf = ({ users }: VisitorsRow): number => users.length + ENTRY_BYTES;

// Numbers are found faster than text. Hours lie between ±2²⁷, and one hour has far fewer parts than this.
const PARTS_AN_HOUR = 1 << 20;
const keyOf = ({ hour, part }: VisitorsVersion): number => hour * PARTS_AN_HOUR + part;

/** Sets of users that were read before. Where they take too much memory, those that were not used for longest go. */
export class VisitorCache {
  /** The rows of each type; types and rows in the order of their last use. */
  readonly #types = new Map<number, Map<number, StoredVisitors>>();
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** Undefined where the row is not kept, or as of another build. */
  get(version: VisitorsVersion): VisitorsRow | undefined {
    const rows = this.#use(version.type_id);
    const key = keyOf(version);
    const row = rows.get(key);
    if (row?.build !== version.build) return undefined;
    rows.delete(key);
    rows.set(key, row);
    return row;
  }

  add(row: StoredVisitors): void {
    const rows = this.#use(row.type_id);
    this.#remove(rows, keyOf(row));
    rows.set(keyOf(row), row);
    this.#bytes += sizeOf(row);
    while (this.#bytes > this.#mostBytes) this.#removeOldest();
  }

  #use(type: number): Map<number, StoredVisitors> {
    const rows = this.#types.get(type) ?? new Map<number, StoredVisitors>();
    this.#types.delete(type);
    this.#types.set(type, rows);
    return rows;
  }

  #removeOldest(): void {
    for (const [type, rows] of this.#types) {
      for (const key of rows.keys()) {
        this.#remove(rows, key);
        return;
      }
      this.#types.delete(type);
    }
  }

  #remove(rows: Map<number, StoredVisitors>, key: number): void {
    const row = rows.get(key);
    if (row === undefined) return;
    rows.delete(key);
    this.#bytes -= sizeOf(row);
  }
}
