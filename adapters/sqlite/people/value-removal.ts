import type { Database } from "better-sqlite3";

interface Progress {
  readonly values_reached: number;
  readonly values_end: number;
}

interface ValueRow {
  readonly id: number;
  readonly test_id: number;
  readonly variant_id: number;
  readonly message_id: Uint8Array | null;
}

// The table has no index by user, which each value would pay for: its ids are gone through once.
const IDS_A_STEP = 10_000;

/** Deletes the values of users that are being erased, within the transactions of the caller. */
export function createValueRemoval(db: Database) {
  const progress = db.prepare<[string], Progress>(
    "select values_reached, values_end from erasures where receipt = ?",
  );
  const find = db.prepare<[number, number, string], ValueRow>(
    `select id, test_id, variant_id, message_id from ab_metrics
     where id > ? and id <= ? and user_id in (select user_id from erasing where receipt = ?)`,
  );
  const remember = db.prepare<[number, Uint8Array, number, number]>(
    `insert or ignore into ab_removed_messages(test_id, message_id, metric_id, variant_id) values (?, ?, ?, ?)`,
  );
  const remove = db.prepare<[number]>("delete from ab_metrics where id = ?");
  const advance = db.prepare<[number, number, string]>(
    "update erasures set values_reached = ?, metric_values = metric_values + ? where receipt = ?",
  );

  return {
    /** About how many rows a step touches. */
    rows: 500,

    /** Deletes those among the next ids; false where none are left. */
    step(receipt: string): boolean {
      const { values_reached = 0, values_end = 0 } = progress.get(receipt) ?? {};
      if (values_reached >= values_end) return false;
      const end = Math.min(values_reached + IDS_A_STEP, values_end);
      const rows = find.all(values_reached, end, receipt);
      for (const { id, test_id, variant_id, message_id } of rows) {
        if (message_id !== null) remember.run(test_id, message_id, id, variant_id);
        remove.run(id);
      }
      advance.run(end, rows.length, receipt);
      return end < values_end;
    },
  };
}
