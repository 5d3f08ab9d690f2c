import type { Database } from "better-sqlite3";
import { type Look, sharpen } from "../../domain/experiments/looks.ts";

interface LookRow {
  subject: string;
  p_value: number;
  lower: number | null;
  upper: number | null;
}

const lookOf = ({ subject, p_value, lower, upper }: LookRow): Look => ({
  subject,
  p_value,
  interval: lower === null || upper === null ? null : [lower, upper],
});

/** What was shown of each experiment's always-valid figures. */
export function createLookShelf(db: Database) {
  const select = db.prepare<[number], LookRow>(
    "select subject, p_value, lower, upper from ab_looks where test_id = ?",
  );
  const upsert = db.prepare<[number, string, number, number | null, number | null]>(
    "insert or replace into ab_looks(test_id, subject, p_value, lower, upper) values (?, ?, ?, ?, ?)",
  );
  const of = (testId: number): Look[] => select.all(testId).map(lookOf);

  return {
    of,
    keep(testId: number, looks: readonly Look[]): void {
      const kept = of(testId);
      for (const look of looks) {
        const { subject, p_value, interval } = sharpen(
          kept.find((earlier) => earlier.subject === look.subject),
          look,
        );
        upsert.run(testId, subject, p_value, interval?.[0] ?? null, interval?.[1] ?? null);
      }
    },
  };
}
