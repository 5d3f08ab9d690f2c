import type { Database } from "better-sqlite3";
import type { Experiment } from "../../../domain/experiments/experiment.ts";
import { MAX_TOTAL } from "../../../domain/experiments/metric.ts";
import type { MetricDefinition } from "../../../domain/experiments/metric-declaration.ts";
import {
  addCovariate,
  addCovariateOfValues,
  addToTotal,
  type Contribution,
  type CovariateValue,
  contributionsOf,
  dayOf,
  moveUser,
  type NotCounted,
  noSums,
  noTotal,
  notCounted,
  type Occurrence,
  type Sums,
} from "../../../domain/experiments/user-total.ts";
import { areEmpty } from "../../../domain/people/give-back.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Gathered } from "../writer.ts";
import {
  ALL_DAYS,
  type CellKey,
  emptyRaw,
  isEmptyRaw,
  placesOf,
  RAW,
  type RawKey,
  type RawRow,
  SUMS,
  type SumsKey,
  type SumsRow,
  sumsOf,
  sumsRowOf,
  TOTAL,
  type TotalRow,
  totalRowOf,
  userTotalOf,
  type Value,
  valuesIn,
  withRawValue,
} from "./cell-rows.ts";
import { createUserRawValues, type UserRawValues } from "./user-raw-values.ts";

/** A user's place in an experiment. */
export interface Member {
  /** The id that was assigned. Values of the person's other ids are added to its total. */
  readonly user_id: string;
  readonly variant_id: number;
  readonly assigned_at: Instant;
  /** The weight period of the assignment. */
  readonly period: number;
}

export interface TrackedValue extends Occurrence {
  readonly metric_name: string;
}

/** Keeps the cells of all experiments, in the transaction of the row that changes them: see domain/experiments/cells.ts. */
export interface Cells extends Pick<Gathered, "save" | "forget"> {
  countUser(testId: number, member: Member, covariates: readonly CovariateValue[]): void;
  /**
   * Grows when cells of the experiment are written here, for those who keep what they have read. Code that writes to the
   * tables of cells by other statements has to clear the experiment shelf.
   */
  versionOf(testId: number): number;
  /**
   * Sets the covariate of a user who was assigned before the metric was declared, and may have values already. One that is
   * set stays as it is.
   */
  setCovariate(testId: number, member: Member, metric: MetricDefinition, x: number): void;
  /** How many users the experiment has, those of this transaction included. */
  usersOf(testId: number): number;
  /**
   * Counts the value, or says why not. One with which the user's total would be out of range leaves no trace. With
   * `only` it changes the sums of that metric alone, and is no raw value again.
   */
  countValue(
    experiment: Experiment,
    member: Member,
    value: TrackedValue,
    only?: string | null,
  ): NotCounted | "total_out_of_range" | undefined;
  /** Adds a stored value to the raw values, with the reason where it does not count; `null` adds the reason alone. */
  keepRaw(testId: number, owner: Owner, metric: string, value: number | null, reason?: NotCounted): void;
  /** Changes the sums of a cell, the number of its users, or raw values, at the end of the transaction. */
  changeSums(key: SumsKey, change: (sums: Sums) => Sums): void;
  changeUsers(key: CellKey, change: number): void;
  changeRaw(key: RawKey, change: (row: RawRow) => RawRow): void;
  /** The raw values of each user. */
  readonly userRaws: UserRawValues;
}

/** The user whom a value belongs to. A value that was stored before an upgrade may have no user. */
export interface Owner extends Pick<Member, "variant_id" | "period"> {
  readonly user_id: string | null;
}

type Open<Key, Value> = Map<string, { readonly key: Key; value: Value }>;

// A user's total at the end of a day that is not the last one with a change: what the user has in the cells of each day
// can be told from these.
export const PAST = `test_id, user_id, metric_name, day, count, total, total_low, denominator_count, denominator_total,
  denominator_total_low, covariate`;

const SUMS_KEY = ["test_id", "day", "variant_id", "period", "metric_name", "declared"] as const;
const RAW_KEY = ["test_id", "variant_id", "metric_name"] as const;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the statements, prepared once, and the acts that share them.
export function createCells(db: Database): Cells {
  const addUsers = db.prepare<CellKey & { users: number }>(
    `insert into ab_cell_users(test_id, day, variant_id, period, users)
     values (@test_id, @day, @variant_id, @period, @users)
     on conflict do update set users = users + excluded.users`,
  );
  const deleteEmptyUsers = db.prepare<CellKey>(
    `delete from ab_cell_users
     where test_id = @test_id and day = @day and variant_id = @variant_id and period = @period and users = 0`,
  );
  const selectUsers = db
    .prepare<[number, number], number | null>(
      "select sum(users) from ab_cell_users where test_id = ? and day = ?",
    )
    .pluck();
  const selectSums = db.prepare<SumsKey, SumsRow>(
    `select ${SUMS.join(", ")} from ab_cell_sums where test_id = @test_id and day = @day
       and variant_id = @variant_id and period = @period and metric_name = @metric_name and declared = @declared`,
  );
  const upsertSums = db.prepare<Value[]>(
    `insert or replace into ab_cell_sums(${[...SUMS_KEY, ...SUMS].join(", ")})
     values (${placesOf(SUMS_KEY.length + SUMS.length)})`,
  );
  const selectRaw = db.prepare<RawKey, RawRow>(
    `select ${RAW.join(", ")} from ab_raw_values
     where test_id = @test_id and variant_id = @variant_id and metric_name = @metric_name`,
  );
  const upsertRaw = db.prepare<Value[]>(
    `insert or replace into ab_raw_values(${[...RAW_KEY, ...RAW].join(", ")})
     values (${placesOf(RAW_KEY.length + RAW.length)})`,
  );
  const deleteSums = db.prepare<SumsKey>(
    `delete from ab_cell_sums where test_id = @test_id and day = @day
       and variant_id = @variant_id and period = @period and metric_name = @metric_name and declared = @declared`,
  );
  const deleteRaw = db.prepare<RawKey>(
    `delete from ab_raw_values
     where test_id = @test_id and variant_id = @variant_id and metric_name = @metric_name`,
  );
  const selectTotal = db.prepare<[number, string, string], TotalRow>(
    `select declared, day, count, total, total_low, denominator_count, denominator_total, denominator_total_low,
       covariate
     from ab_observations where test_id = ? and user_id = ? and metric_name = ?`,
  );
  const keepPast = db.prepare<[number, string, string]>(
    `insert or replace into ab_past_observations(${PAST})
     select ${PAST} from ab_observations where test_id = ? and user_id = ? and metric_name = ?`,
  );
  const forgetPast = db.prepare<[number, string, string]>(
    "delete from ab_past_observations where test_id = ? and user_id = ? and metric_name = ?",
  );
  const userRaws = createUserRawValues(db);
  const upsertTotal = db.prepare<Value[]>(
    `insert or replace into ab_observations(test_id, user_id, metric_name, ${TOTAL.join(", ")})
     values (${placesOf(3 + TOTAL.length)})`,
  );

  // A hot metric changes with every value of a transaction; its row is written once, before the commit.
  const users: Open<CellKey, number> = new Map();
  const sums: Open<SumsKey, Sums> = new Map();
  const raws: Open<RawKey, RawRow> = new Map();
  const versions = new Map<number, number>();
  const contributions = new WeakMap<Experiment, Map<string, readonly Contribution[]>>();

  const versionOf = (testId: number): number => versions.get(testId) ?? 0;
  const touch = (testId: number): void => void versions.set(testId, versionOf(testId) + 1);

  function contributionsTo(experiment: Experiment, metric: string): readonly Contribution[] {
    const known = contributions.get(experiment) ?? new Map<string, readonly Contribution[]>();
    contributions.set(experiment, known);
    const found = known.get(metric) ?? contributionsOf(experiment.metrics, metric);
    // A public key may send any number of undeclared names.
    if (experiment.metrics.some(({ metric_name }) => metric_name === metric)) known.set(metric, found);
    return found;
  }

  function changeSums(key: SumsKey, change: (sums: Sums) => Sums): void {
    const id = `${key.test_id} ${key.day} ${key.variant_id} ${key.period} ${key.declared} ${key.metric_name}`;
    const open = sums.get(id);
    if (open !== undefined) {
      open.value = change(open.value);
      return;
    }
    const row = selectSums.get(key);
    sums.set(id, { key, value: change(row === undefined ? noSums : sumsOf(row)) });
  }

  function putTotal(test_id: number, user_id: string, metric_name: string, row: TotalRow): void {
    upsertTotal.run(test_id, user_id, metric_name, ...valuesIn(row, TOTAL));
  }

  /** What the metric had before it was declared is not continued. A user without a total has no past totals either. */
  function replaceTotal(
    test_id: number,
    user_id: string,
    metric_name: string,
    before: TotalRow | undefined,
    row: TotalRow,
  ): void {
    const changesDeclaration = before !== undefined && before.declared !== row.declared;
    if (changesDeclaration) forgetPast.run(test_id, user_id, metric_name);
    else if (before !== undefined && before.day < row.day) keepPast.run(test_id, user_id, metric_name);
    putTotal(test_id, user_id, metric_name, row);
  }

  function contribute(
    { metric, side }: Contribution,
    test_id: number,
    { user_id, variant_id, period, assigned_at }: Member,
    { value, occurred_at }: TrackedValue,
  ): boolean {
    const { metric_name } = metric;
    const declared = metric.declared ? 1 : 0;
    const row = selectTotal.get(test_id, user_id, metric_name);
    const known = row?.declared === declared ? row : undefined;
    const from = known === undefined ? noTotal : userTotalOf(known);
    const to = addToTotal(from, side, value);
    if (Math.abs(to[side].total.high) > MAX_TOTAL) return false;
    const day = Math.max(dayOf(occurred_at), dayOf(assigned_at), known?.day ?? ALL_DAYS);
    replaceTotal(test_id, user_id, metric_name, row, { declared, day, ...totalRowOf(to) });
    for (const on of [ALL_DAYS, day]) {
      const key = { test_id, day: on, variant_id, period, metric_name, declared };
      changeSums(key, (before) => moveUser(before, metric, from, to));
    }
    return true;
  }

  /** Counts a value for one of the metrics that it changes, or says why not. */
  function countFor(
    target: Contribution,
    testId: number,
    member: Member,
    tracked: TrackedValue,
  ): NotCounted | "total_out_of_range" | undefined {
    const reason = notCounted(tracked, member.assigned_at, target.metric);
    if (reason !== undefined) return reason;
    return contribute(target, testId, member, tracked) ? undefined : "total_out_of_range";
  }

  function keepRaw(
    test_id: number,
    { variant_id, user_id, period }: Owner,
    metric_name: string,
    value: number | null,
    reason?: NotCounted,
  ): void {
    changeRaw({ test_id, variant_id, metric_name }, (row) => withRawValue(row, value, reason));
    if (user_id !== null)
      userRaws.add({ test_id, user_id, metric_name }, { variant_id, period }, value, reason);
  }

  function changeRaw(key: RawKey, change: (row: RawRow) => RawRow): void {
    const id = `${key.test_id} ${key.variant_id} ${key.metric_name}`;
    const open = raws.get(id) ?? { key, value: selectRaw.get(key) ?? emptyRaw() };
    raws.set(id, open);
    open.value = change(open.value);
  }

  function changeUsers(key: CellKey, change: number): void {
    const id = `${key.test_id} ${key.day} ${key.variant_id} ${key.period}`;
    const open = users.get(id);
    if (open === undefined) users.set(id, { key, value: change });
    else open.value += change;
  }

  /** A cell without users is the same as none. */
  function saveUsers(key: CellKey, change: number): void {
    addUsers.run({ ...key, users: change });
    if (change < 0) deleteEmptyUsers.run(key);
  }

  function saveSums(key: SumsKey, value: Sums): void {
    if (areEmpty(value)) deleteSums.run(key);
    else upsertSums.run(...valuesIn(key, SUMS_KEY), ...valuesIn(sumsRowOf(value), SUMS));
  }

  function saveRaw(key: RawKey, value: RawRow): void {
    if (isEmptyRaw(value)) deleteRaw.run(key);
    else upsertRaw.run(...valuesIn(key, RAW_KEY), ...valuesIn(value, RAW));
  }

  return {
    countUser(test_id, { user_id, variant_id, period, assigned_at }, covariates) {
      const today = dayOf(assigned_at);
      for (const { metric_name, x } of covariates) {
        const total = totalRowOf({ ...noTotal, covariate: x });
        putTotal(test_id, user_id, metric_name, { declared: 1, day: today, ...total });
        for (const day of [ALL_DAYS, today]) {
          const key = { test_id, day, variant_id, period, metric_name, declared: 1 };
          changeSums(key, (before) => addCovariate(before, x));
        }
      }
      for (const day of [ALL_DAYS, today]) changeUsers({ test_id, day, variant_id, period }, 1);
    },

    setCovariate(
      test_id,
      { user_id, variant_id, period, assigned_at },
      { metric_name, kind, cap = null },
      x,
    ) {
      const row = selectTotal.get(test_id, user_id, metric_name);
      const known = row?.declared === 1 ? row : undefined;
      const total = known === undefined ? noTotal : userTotalOf(known);
      if (total.covariate !== 0) return;
      const assigned = dayOf(assigned_at);
      const lastDay = known?.day ?? assigned;
      const key = { test_id, variant_id, period, metric_name, declared: 1 };
      const covered = totalRowOf({ ...total, covariate: x });
      replaceTotal(test_id, user_id, metric_name, row, { declared: 1, day: lastDay, ...covered });
      for (const day of [ALL_DAYS, assigned]) changeSums({ ...key, day }, (sums) => addCovariate(sums, x));
      for (const day of [ALL_DAYS, lastDay])
        changeSums({ ...key, day }, (sums) => addCovariateOfValues(sums, { kind, cap }, x, total.own));
    },

    usersOf(testId) {
      const gathered = [...users.values()].filter(
        ({ key }) => key.test_id === testId && key.day === ALL_DAYS,
      );
      const stored = selectUsers.get(testId, ALL_DAYS) ?? 0;
      return gathered.reduce((sum, { value }) => sum + value, stored);
    },

    countValue(experiment, member, tracked, only = null) {
      const targets = contributionsTo(experiment, tracked.metric_name).filter(
        ({ metric }) => only === null || metric.metric_name === only,
      );
      let reason: NotCounted | undefined;
      for (const target of targets) {
        const why = countFor(target, experiment.id, member, tracked);
        if (target.side !== "own") continue;
        if (why === "total_out_of_range") return why;
        reason = why;
      }
      if (only !== null) return reason;
      const value = reason === "out_of_range" ? null : tracked.value;
      keepRaw(experiment.id, member, tracked.metric_name, value, reason);
      return reason;
    },

    keepRaw,
    changeSums,
    changeUsers,
    changeRaw,
    userRaws,

    versionOf,

    save() {
      for (const { key, value } of users.values()) saveUsers(key, value);
      for (const { key, value } of sums.values()) saveSums(key, value);
      for (const { key, value } of raws.values()) saveRaw(key, value);
      for (const { key } of [...users.values(), ...sums.values(), ...raws.values()]) touch(key.test_id);
      userRaws.save();
    },

    forget() {
      users.clear();
      sums.clear();
      raws.clear();
      userRaws.forget();
    },
  };
}
