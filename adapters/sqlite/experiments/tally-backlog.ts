import type { Database } from "better-sqlite3";
import type { Experiment } from "../../../domain/experiments/experiment.ts";
import { endOf } from "../../../domain/experiments/lifecycle.ts";
import type { NotCounted } from "../../../domain/experiments/user-total.ts";
import type { OnRetry } from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";
import { type Background, createBackground } from "../../background/background.ts";
import { fromSql, timeOf } from "../instants.ts";
import type { Writer } from "../writer.ts";
import type { AssignmentFinder } from "./assignments.ts";
import type { Cells } from "./cells.ts";
import type { CovariateBacklog, FoundCovariates } from "./covariate-backlog.ts";
import type { EventCounter } from "./event-counter.ts";
import type { ExperimentShelf, Watch } from "./experiments.ts";
import type { WeightPeriods } from "./weight-periods.ts";

interface BacklogRow {
  readonly id: number;
  readonly source: "assignments" | "covariates" | "values" | "events";
  /** All experiments where it is null. */
  readonly test_id: number | null;
  /** The one metric whose sums are to change; all where it is null. */
  readonly metric_name: string | null;
  readonly next_id: number;
  readonly through_id: number;
}

interface AssignmentRow {
  id: number;
  test_id: number;
  user_id: string;
  variant_id: number;
  assigned_at: string;
}

interface ValueRow {
  id: number;
  test_id: number;
  variant_id: number;
  user_id: string | null;
  metric_name: string;
  value: number;
  created_at: string;
  occurred_at: Instant;
}

interface EventRow {
  id: number;
  event_type: string;
  user_id: string | null;
  properties: string | null;
  created_at: string;
  /** Null where another program has stored the event, and no build has given it its time yet. */
  occurred_at: Instant | null;
}

// A few milliseconds of writing, or of reading over what is not asked for.
const ROWS_A_STEP = 500;
const EVENTS_A_STEP = 2_000;

/** Tallies what was stored before there were sums for it, in small transactions between those of the others. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the statements, prepared once, and the acts that share them.
export function createTallyBacklog(
  db: Database,
  writer: Writer,
  shelf: ExperimentShelf,
  finder: AssignmentFinder,
  cells: Cells,
  periods: WeightPeriods,
  counter: EventCounter,
  covariates: CovariateBacklog,
  onRetry: OnRetry,
): Pick<Background, "work" | "stop"> {
  const selectNext = db.prepare<[], BacklogRow>("select * from ab_tally_backlog order by id limit 1");
  const advance = db.prepare<[number, number]>("update ab_tally_backlog set next_id = ? where id = ?");
  const remove = db.prepare<[number]>("delete from ab_tally_backlog where id = ?");
  const selectAssignments = db.prepare<[number, number, number], AssignmentRow>(
    `select id, test_id, user_id, variant_id, assigned_at from ab_assignments
     where id > ? and id <= ? and period is null order by id limit ?`,
  );
  const setPeriod = db.prepare<[number, number]>("update ab_assignments set period = ? where id = ?");
  const selectValues = db.prepare<[number, number, number], ValueRow>(
    `select id, test_id, variant_id, user_id, metric_name, value, created_at, occurred_at from ab_metrics
     where id > ? and id <= ? order by id limit ?`,
  );
  const selectEvents = db.prepare<[number, number], EventRow>(
    `select id, event_type, user_id, properties, created_at, occurred_at
     from events where id > ? and id <= ? and user_id is not null order by id`,
  );

  function countAssignment({ id, test_id, user_id, variant_id, assigned_at: text }: AssignmentRow): void {
    if (shelf.find(test_id) === undefined) return;
    const assigned_at = fromSql(text);
    if (Number.isNaN(assigned_at)) return;
    const period = periods.at(test_id, assigned_at);
    setPeriod.run(period, id);
    cells.countUser(test_id, { user_id, variant_id, assigned_at, period }, []);
  }

  /** A value without a user is from before the upgrade, and is one of the raw values alone. */
  function countValue(row: ValueRow, only: string | null): void {
    const { test_id, variant_id, user_id, metric_name, value, occurred_at } = row;
    const experiment = shelf.find(test_id);
    if (experiment === undefined) return;
    const member = user_id === null ? undefined : finder.assigned(test_id, user_id);
    const owner = { ...(member ?? { period: 0, user_id }), variant_id };
    const keepRaw = (kept: number | null, reason?: NotCounted): void => {
      if (only === null) cells.keepRaw(test_id, owner, metric_name, kept, reason);
    };
    if (user_id === null) keepRaw(value);
    else if (member !== undefined && isLate(experiment, row)) keepRaw(null, "after_stop");
    else if (member !== undefined) {
      const counted = cells.countValue(experiment, member, { metric_name, value, occurred_at }, only);
      if (counted === "total_out_of_range") keepRaw(null, "out_of_range");
    }
  }

  const isLate = (experiment: Experiment, row: { created_at: string }): boolean =>
    fromSql(row.created_at) > (endOf(experiment) ?? Number.POSITIVE_INFINITY);

  function countEvent(
    row: EventRow,
    watches: ReadonlyMap<string, readonly Watch[]>,
    only: string | null,
  ): void {
    if (row.user_id === null) return;
    const event = {
      ...row,
      created_at: fromSql(row.created_at),
      occurred_at: row.occurred_at ?? timeOf(row.created_at),
    };
    for (const watch of watches.get(row.event_type) ?? []) counter.count(watch, row.user_id, event, only);
  }

  function countAssignments({ next_id, through_id }: BacklogRow): number {
    const rows = selectAssignments.all(next_id, through_id, ROWS_A_STEP);
    for (const row of rows) countAssignment(row);
    return reachedBy(rows, through_id);
  }

  function countValues({ test_id, metric_name, next_id, through_id }: BacklogRow): number {
    const rows = selectValues.all(next_id, through_id, ROWS_A_STEP);
    for (const row of rows) if ((test_id ?? row.test_id) === row.test_id) countValue(row, metric_name);
    return reachedBy(rows, through_id);
  }

  function countEvents({ test_id, metric_name, next_id, through_id }: BacklogRow): number {
    const last = Math.min(next_id + EVENTS_A_STEP, through_id);
    const watches = shelf.allWatches(test_id);
    for (const row of selectEvents.all(next_id, last)) countEvent(row, watches, metric_name);
    return last;
  }

  const count = { assignments: countAssignments, values: countValues, events: countEvents };

  /** False where nothing is left. Covariates are those of the row that they were found for. */
  function step(found?: { readonly of: BacklogRow; readonly covariates: FoundCovariates }): boolean {
    const backlog = selectNext.get();
    if (backlog === undefined) return false;
    if (backlog.source !== "covariates") return advanceTo(count[backlog.source](backlog), backlog);
    const isFound = found?.of.id === backlog.id && found.of.next_id === backlog.next_id;
    return isFound ? advanceTo(covariates.set(backlog, found.covariates), backlog) : true;
  }

  function advanceTo(reached: number, backlog: BacklogRow): true {
    if (reached >= backlog.through_id) remove.run(backlog.id);
    else advance.run(reached, backlog.id);
    return true;
  }

  async function takeStep(): Promise<boolean> {
    const next = selectNext.get();
    if (next === undefined) return false;
    if (next.source !== "covariates") return writer.write(ROWS_A_STEP, () => step());
    const found = { of: next, covariates: await covariates.find(next) };
    return writer.write(ROWS_A_STEP, () => step(found));
  }

  return createBackground("tallies", onRetry, takeStep);
}

/** The id up to which all is counted. */
const reachedBy = (rows: readonly { readonly id: number }[], through: number): number =>
  rows.length < ROWS_A_STEP ? through : (rows.at(-1)?.id ?? through);
