import type { Database } from "better-sqlite3";
import { covariateQuestion, covariatesIn } from "../../../domain/experiments/user-total.ts";
import type { EventQuestions } from "../../../domain/storage.ts";
import { fromSql } from "../instants.ts";
import type { AssignmentFinder } from "./assignments.ts";
import type { Cells } from "./cells.ts";
import type { ExperimentShelf } from "./experiments.ts";

/** A metric that was added to an experiment, and which of its users come next. */
interface Added {
  readonly test_id: number | null;
  readonly metric_name: string | null;
  readonly next_id: number;
  readonly through_id: number;
}

/** The covariates of some users, found outside of any transaction. */
export interface FoundCovariates {
  readonly users: readonly { readonly user_id: string; readonly x: number }[];
  /** The id up to which all are found. */
  readonly reached: number;
}

/** Finds and sets the covariates of users who were assigned before their metric was declared. */
export interface CovariateBacklog {
  find(added: Added): Promise<FoundCovariates>;
  /** Within a transaction. */
  set(added: Added, found: FoundCovariates): number;
}

interface UserRow {
  readonly id: number;
  readonly user_id: string;
  readonly assigned_at: string;
  readonly attributes: string | null;
}

const USERS_A_STEP = 500;

export function createCovariateBacklog(
  db: Database,
  shelf: Pick<ExperimentShelf, "find">,
  finder: AssignmentFinder,
  cells: Pick<Cells, "setCovariate">,
  { userFacts }: Pick<EventQuestions, "userFacts">,
): CovariateBacklog {
  const selectUsers = db.prepare<[number, number, number], UserRow>(
    `select id, user_id, assigned_at, attributes
     from ab_assignments left join ab_attributes using (test_id, user_id)
     where test_id = ? and id > ? and id <= ? order by id limit ${USERS_A_STEP}`,
  );

  const metricOf = ({ test_id, metric_name }: Added) =>
    shelf.find(test_id ?? 0)?.metrics.find((metric) => metric.metric_name === metric_name);

  return {
    async find(added) {
      const metric = metricOf(added);
      const { test_id, next_id, through_id } = added;
      const rows = selectUsers.all(test_id ?? 0, next_id, through_id);
      const reached = rows.length < USERS_A_STEP ? through_id : (rows.at(-1)?.id ?? through_id);
      const covariate = metric?.covariate;
      if (metric === undefined || covariate === undefined) return { users: [], reached };
      const users = rows
        .map((row) => ({ ...row, assigned_at: fromSql(row.assigned_at) }))
        .filter(({ assigned_at }) => !Number.isNaN(assigned_at));
      const facts = "attribute" in covariate ? [] : await userFacts(covariateQuestion(covariate, users));
      const found = users.flatMap(({ user_id, attributes }, index) => {
        const x = facts[index];
        const covariates = typeof x === "number" ? [{ metric_name: metric.metric_name, x }] : [];
        const known = attributes === null ? {} : JSON.parse(attributes);
        return covariatesIn([metric], { attributes: known, covariates }).map((one) => ({
          user_id,
          x: one.x,
        }));
      });
      return { users: found, reached };
    },

    set(added, { users, reached }) {
      const metric = metricOf(added);
      const test_id = added.test_id ?? 0;
      for (const { user_id, x } of users) {
        const member = finder.assigned(test_id, user_id);
        if (member !== undefined && metric !== undefined) cells.setCovariate(test_id, member, metric, x);
      }
      return reached;
    },
  };
}
