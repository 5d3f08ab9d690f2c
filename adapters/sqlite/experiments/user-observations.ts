import type { Database } from "better-sqlite3";
import { type Experiment, isDeclared } from "../../../domain/experiments/experiment.ts";
import { observePeopleOnce } from "../../../domain/experiments/shared-people.ts";
import type { MetricStore, ObservationPage, UserObservation } from "../../../domain/storage.ts";
import { reading } from "../failures.ts";
import { type TotalRow, userTotalOf } from "./cell-rows.ts";
import type { ExperimentShelf } from "./experiments.ts";
import { createPersonReader } from "./person-assignments.ts";

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

  const sharedPeople = createPersonReader(db);

  function readPeople(experiment: Experiment, metric_name: string, { after, limit }: ObservationPage) {
    const test_id = experiment.id;
    const declared = isDeclared(experiment, metric_name) ? 1 : 0;
    const found: UserObservation[] = [];
    for (let from = after ?? ""; ; ) {
      const wanted = limit - found.length;
      const rows = select.all({ test_id, metric_name, declared, after: from, limit: wanted });
      const users = rows.map((row) => ({ user_id: row.user_id, ...userTotalOf(row) }));
      const ids = users.map(({ user_id }) => user_id);
      found.push(...observePeopleOnce(experiment, metric_name, users, sharedPeople(test_id, ids)));
      if (rows.length < wanted || found.length === limit) return found;
      from = ids.at(-1) ?? from;
    }
  }

  return (testId, metricName, page) =>
    reading(() => {
      const experiment = shelf.find(testId);
      return experiment === undefined ? [] : readPeople(experiment, metricName, page);
    });
}
