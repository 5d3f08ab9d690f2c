import type { Database } from "better-sqlite3";
import { isDeclared } from "../../../domain/experiments/experiment.ts";
import type { MetricStore } from "../../../domain/storage.ts";
import { reading } from "../failures.ts";
import { type TotalRow, userTotalOf } from "./cell-rows.ts";
import type { ExperimentShelf } from "./experiments.ts";

interface Parameters {
  readonly test_id: number;
  readonly metric_name: string;
  readonly declared: number;
  readonly after: string;
  readonly limit: number;
}

/** Reads the users' own totals, page by page in the order of their ids. */
export function createObservationReader(
  db: Database,
  shelf: ExperimentShelf,
): MetricStore["userObservations"] {
  const select = db.prepare<Parameters, TotalRow & { user_id: string }>(
    `select * from ab_observations
     where test_id = @test_id and user_id > @after and metric_name = @metric_name and declared = @declared and count > 0
     order by user_id limit @limit`,
  );

  return (test_id, metric_name, { after, limit }) =>
    reading(() => {
      const experiment = shelf.find(test_id);
      if (experiment === undefined) return [];
      const declared = isDeclared(experiment, metric_name) ? 1 : 0;
      return select.all({ test_id, metric_name, declared, after: after ?? "", limit }).map((row) => {
        const { own, denominator } = userTotalOf(row);
        return { user_id: row.user_id, own, denominator };
      });
    });
}
