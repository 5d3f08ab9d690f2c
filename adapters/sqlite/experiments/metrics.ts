import type { Database } from "better-sqlite3";
import type { Experiment } from "../../../domain/experiments/experiment.ts";
import { counts } from "../../../domain/experiments/lifecycle.ts";
import type { NewMetric } from "../../../domain/experiments/metric.ts";
import { type AppendedMetric, answersFor, type MetricStore } from "../../../domain/storage.ts";
import { isUniqueViolation, reading } from "../failures.ts";
import { toSql } from "../instants.ts";
import type { Writer } from "../writer.ts";
import type { AssignmentFinder } from "./assignments.ts";
import type { CellReader } from "./cell-reader.ts";
import type { Cells, Member } from "./cells.ts";
import type { ExperimentShelf } from "./experiments.ts";
import { createSegmentReader } from "./segment-users.ts";
import { createObservationReader } from "./user-observations.ts";

type MetricRow = [number, number, string, number, string, string, number, Uint8Array | null];

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the statements, prepared once, and the acts that share them.
export function createMetricStore(
  db: Database,
  writer: Writer,
  shelf: ExperimentShelf,
  finder: AssignmentFinder,
  cells: Cells,
  reader: CellReader,
): MetricStore {
  const insert = db.prepare<MetricRow>(
    `insert into ab_metrics(test_id, variant_id, metric_name, value, created_at, user_id, occurred_at, message_id)
     values (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const remove = db.prepare<[number]>("delete from ab_metrics where id = ?");
  const selectByMessage = db.prepare<[number, Uint8Array], { id: number; variant_id: number }>(
    "select id, variant_id from ab_metrics where test_id = ? and message_id = ?",
  );

  const selectRemoved = db.prepare<[number, Uint8Array], { id: number; variant_id: number }>(
    "select metric_id as id, variant_id from ab_removed_messages where test_id = ? and message_id = ?",
  );

  function stored(testId: number, key: Uint8Array): AppendedMetric {
    const row = selectByMessage.get(testId, key);
    if (row === undefined) throw new Error("a message id was refused as a duplicate of none");
    return { kind: "stored", ...row, duplicate: true, reason: null };
  }

  function insertUnlessStored(testId: number, variantId: number, metric: NewMetric): AppendedMetric {
    const { metric_name, value, created_at, user_id, occurred_at, message_key } = metric;
    const removed = message_key === null ? undefined : selectRemoved.get(testId, message_key);
    if (removed !== undefined) return { kind: "stored", ...removed, duplicate: true, reason: null };
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
      return {
        kind: "stored",
        id: Number(lastInsertRowid),
        variant_id: variantId,
        duplicate: false,
        reason: null,
      };
    } catch (error) {
      if (message_key !== null && isUniqueViolation(error)) return stored(testId, message_key);
      throw error;
    }
  }

  /** A tester's value is kept and belongs to nobody in the experiment; after the end nothing counts any more. */
  function append(testId: number, experiment: Experiment | undefined, metric: NewMetric): AppendedMetric {
    const assigned = finder.assigned(testId, metric.user_id);
    const known = assigned ?? finder.forced(testId, metric.user_id);
    if (known === undefined) return { kind: "not_assigned" };
    const appended = insertUnlessStored(testId, known.variant_id, metric);
    if (experiment === undefined || appended.kind !== "stored" || appended.duplicate) return appended;
    if (assigned === undefined) return { ...appended, reason: "tester" };
    const reason = count(experiment, assigned, metric);
    if (reason !== "total_out_of_range") return { ...appended, reason: reason ?? null };
    remove.run(appended.id);
    return { kind: reason };
  }

  function count(experiment: Experiment, member: Member, metric: NewMetric) {
    if (counts(experiment, metric.created_at)) return cells.countValue(experiment, member, metric);
    cells.keepRaw(experiment.id, member, metric.metric_name, null, "after_stop");
    return "after_stop";
  }

  function appendAll(testId: number, metrics: readonly NewMetric[]): AppendedMetric[] {
    const experiment = shelf.find(testId);
    return metrics.map((metric) => append(testId, experiment, metric));
  }

  return {
    appendMetrics: <const T extends readonly NewMetric[]>(testId: number, metrics: T) =>
      writer.write(metrics.length, () => answersFor(metrics, appendAll(testId, metrics))),
    experimentCells: (testId) =>
      reading(() => {
        const experiment = shelf.find(testId);
        return experiment && reader.ofExperiment(experiment);
      }),
    dayCells: (testId) =>
      reading(() => {
        const experiment = shelf.find(testId);
        return experiment === undefined ? [] : reader.byDay(experiment);
      }),
    userObservations: createObservationReader(db, shelf),
    segmentUsers: createSegmentReader(db, shelf),
  };
}
