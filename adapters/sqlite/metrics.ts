import type { Database } from "better-sqlite3";
import type { NewMetric } from "../../domain/metric.ts";
import type { AppendedMetric, ForEach, MetricStore } from "../../domain/storage.ts";
import { isUniqueViolation, reading } from "./failures.ts";
import { fromSql, toSql } from "./instants.ts";
import type { Tallies } from "./tallies.ts";
import type { Writer } from "./writer.ts";

type MetricRow = [number, number, string, number, string, string, number, Uint8Array | null];

export function createMetricStore(db: Database, writer: Writer, tallies: Tallies): MetricStore {
  const selectAssignment = db.prepare<[string, number], { variant_id: number; assigned_at: string }>(
    "select variant_id, assigned_at from ab_assignments where user_id = ? and test_id = ?",
  );
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

  function append(testId: number, metric: NewMetric): AppendedMetric {
    const assignment = selectAssignment.get(metric.user_id, testId);
    if (assignment === undefined) return { kind: "not_assigned" };
    const { variant_id, assigned_at } = assignment;
    const appended = insertUnlessStored(testId, variant_id, metric);
    if (appended.kind === "stored" && !appended.duplicate) {
      const { user_id, metric_name, value, occurred_at } = metric;
      const counted = occurred_at >= fromSql(assigned_at);
      tallies.countValue({ test_id: testId, variant_id, user_id, metric_name }, value, counted);
    }
    return appended;
  }

  return {
    appendMetrics: <const T extends readonly NewMetric[]>(testId: number, metrics: T) =>
      writer.write(
        metrics.length,
        () => metrics.map((metric) => append(testId, metric)) as unknown as ForEach<T, AppendedMetric>,
      ),
    tally: (testId) => reading(() => tallies.ofTest(testId)),
  };
}
