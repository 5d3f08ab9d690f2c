import type { Database } from "better-sqlite3";
import type { Experiment } from "../../../domain/experiments/experiment.ts";
import type { Instant } from "../../../domain/time.ts";

/** Which weights of an experiment applied when. */
export interface WeightPeriods {
  /** The experiment's weights apply to assignments from now on, instead of those it had `before`. */
  begin(experiment: Experiment, at: Instant, before?: Experiment): void;
  /** The period in which an assignment of this time falls. */
  at(testId: number, at: Instant): number;
}

export function createWeightPeriods(db: Database): WeightPeriods {
  const selectPeriodAt = db
    .prepare<[number, Instant], number>(
      "select period from ab_periods where test_id = ? and started_at <= ? order by period desc limit 1",
    )
    .pluck();
  const selectLastPeriod = db
    .prepare<[number], number | null>("select max(period) from ab_periods where test_id = ?")
    .pluck();
  const insertPeriod = db.prepare<[number, number, number, Instant, number]>(
    "insert into ab_periods(test_id, period, variant_id, started_at, weight) values (?, ?, ?, ?, ?)",
  );

  return {
    begin(experiment, at, before) {
      const last = selectLastPeriod.get(experiment.id) ?? undefined;
      const known = last === undefined && before !== undefined ? [{ ...before, at: before.created_at }] : [];
      for (const [index, { id, variants, at: started_at }] of [...known, { ...experiment, at }].entries())
        for (const variant of variants)
          insertPeriod.run(id, (last ?? -1) + 1 + index, variant.id, started_at, variant.weight);
    },

    at: (testId, at) => selectPeriodAt.get(testId, at) ?? 0,
  };
}
