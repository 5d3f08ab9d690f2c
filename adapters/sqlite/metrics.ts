import type { Database } from "better-sqlite3";
import { isOpen } from "../../domain/experiments/lifecycle.ts";
import type { NewMetric } from "../../domain/experiments/metric.ts";
import type { AppendedMetric, ForEach, MetricStore } from "../../domain/storage.ts";
import type { AssignmentFinder } from "./assignments.ts";
import type { ExperimentShelf } from "./experiments.ts";
import { isUniqueViolation, reading } from "./failures.ts";
import { toSql } from "./instants.ts";
import type { Tallies } from "./tallies.ts";
import type { Writer } from "./writer.ts";

type MetricRow = [number, number, string, number, string, string, number, Uint8Array | null];

export function createMetricStore(
  db: Database,
  writer: Writer,
  shelf: ExperimentShelf,
  finder: AssignmentFinder,
  tallies: Tallies,
): MetricStore {
  const insert = db.prepare<MetricRow>(
    `insert into ab_metrics(test_id, variant_id, metric_name, value, created_at, user_id, occurred_at, message_id)
     values (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const selectByMessage = db.prepare<[number, Uint8Array], { id: number; variant_id: number }>(
    "select id, variant_id from ab_metrics where test_id = ? and message_id = ?",
  );

  function stored(testId: number, key: Uint8Array): AppendedMetric {
    const row = selectByMessage.get(testId, key);
    if (row === undefined) throw new Error("a message id was refused as a duplicate of none");
    return { kind: "stored", ...row, duplicate: true };
  }

  function insertUnlessStored(testId: number, variantId: number, metric: NewMetric): AppendedMetric {
    const { metric_name, value, created_at, user_id, occurred_at, message_key } = metric;
    try {
      const { lastInsertRowid } = insert.run(
        testId,
        variantId,
        metric_name,
        value,
        toSql(created_at),
        user_id,
        occurred_at,
        message_key,
      );
      return { kind: "stored", id: Number(lastInsertRowid), variant_id: variantId, duplicate: false };
    } catch (error) {
      if (message_key !== null && isUniqueViolation(error)) return stored(testId, message_key);
      throw error;
    }
  }

  /** A tester's value is kept, but is nobody's in the experiment; after the end nothing counts any more. */
  function append(testId: number, metric: NewMetric, open: boolean): AppendedMetric {
    const { user_id, metric_name, value, occurred_at, latest_at = occurred_at } = metric;
    const assigned = finder.assigned(testId, user_id);
    const known = assigned ?? finder.forced(testId, user_id);
    if (known === undefined) return { kind: "not_assigned" };
    const appended = insertUnlessStored(testId, known.variant_id, metric);
    if (assigned !== undefined && open && appended.kind === "stored" && !appended.duplicate) {
      const place = { test_id: testId, variant_id: assigned.variant_id, user_id, metric_name };
      const counted = latest_at >= assigned.assigned_at;
      const at = counted ? Math.max(occurred_at, assigned.assigned_at) : occurred_at;
      tallies.countValue(place, value, at, counted);
    }
    return appended;
  }

  function appendAll(testId: number, metrics: readonly NewMetric[]): AppendedMetric[] {
    const status = shelf.find(testId)?.status ?? "archived";
    return metrics.map((metric) => append(testId, metric, isOpen(status)));
  }

  return {
    appendMetrics: <const T extends readonly NewMetric[]>(testId: number, metrics: T) =>
      writer.write(metrics.length, () => appendAll(testId, metrics) as unknown as ForEach<T, AppendedMetric>),
    tally: (testId) => reading(() => tallies.ofTest(testId)),
    dailyTallies: (testId) => reading(() => tallies.byDay(testId)),
    keepLooks: (testId, looks) => writer.write(looks.length, () => tallies.keepLooks(testId, looks)),
  };
}
