import type { Database } from "better-sqlite3";
import type { Experiment } from "../../domain/experiments/experiment.ts";
import {
  addCounted,
  addRaw,
  type DayTally,
  type ExperimentTally,
  emptyTally,
  type MetricTally,
  type Period,
  type UserTotal,
  type VariantTally,
} from "../../domain/experiments/tally.ts";
import { DAY, type Instant } from "../../domain/time.ts";
import { rowOf, TALLY_COLUMNS, type TallyRow, type TallyValues, tallyOf } from "./tally-rows.ts";
import type { Gathered } from "./writer.ts";

export const dayOf = (instant: Instant): number => Math.floor(instant / DAY);

/** Whose value of what it is. */
export interface Place {
  readonly test_id: number;
  readonly variant_id: number;
  readonly user_id: string;
  readonly metric_name: string;
}

/** What results need, kept up to date value by value: see domain/experiments/tally.ts for what each figure is. */
export interface Tallies extends Pick<Gathered, "save" | "forget"> {
  /** The experiment's weights are in force from now on. */
  beginEpoch(experiment: Experiment, at: Instant): void;
  countUser(testId: number, variantId: number, assignedAt: Instant): void;
  /** A value of a user of this variant; one that happened before the assignment is kept but not `counted`. */
  countValue(place: Place, value: number, occurredAt: Instant, counted: boolean): void;
  ofTest(testId: number): ExperimentTally;
  byDay(testId: number): readonly DayTally[];
}

interface Open {
  readonly test_id: number;
  readonly variant_id: number;
  day: number;
  tally: MetricTally;
}

interface Epoch {
  epoch: number;
  weight: number;
  /** The latest day on which anybody was assigned. */
  last_day: number | null;
}

// Of a variant that somebody's own program has inserted into the specified tables since the upgrade.
const FIRST_EPOCH: Epoch = { epoch: 0, weight: 1, last_day: null };

interface UsersRow {
  variant_id: number;
  epoch: number;
  day: number;
  weight: number;
  users: number;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the statements, prepared once, and the acts that share a transaction's state.
export function createTallies(db: Database): Tallies {
  const selectLatest = db.prepare<[number, number, string], TallyRow & { day: number }>(
    `select day, ${TALLY_COLUMNS} from ab_tallies
     where test_id = ? and variant_id = ? and metric_name = ? order by day desc limit 1`,
  );
  // SQLite takes the other columns from the row that has the maximum.
  const selectNow = db.prepare<[number], TallyRow & { variant_id: number }>(
    `select variant_id, max(day), ${TALLY_COLUMNS} from ab_tallies where test_id = ? group by variant_id, metric_name`,
  );
  const selectDays = db.prepare<[number], TallyRow & { variant_id: number; day: number }>(
    `select variant_id, day, ${TALLY_COLUMNS} from ab_tallies where test_id = ? order by day`,
  );
  const upsert = db.prepare<TallyValues>(
    `insert or replace into ab_tallies(test_id, variant_id, day, ${TALLY_COLUMNS})
     values (@test_id, @variant_id, @day, @metric_name, @raw_count, @raw_sum, @raw_min, @raw_max, @count, @sum, @users,
       @sums_mean, @sums_m2, @counts_mean, @counts_m2)`,
  );
  const selectUsers = db.prepare<[number], UsersRow>(
    "select variant_id, epoch, day, weight, users from ab_users where test_id = ? order by epoch, day",
  );
  const selectEpoch = db.prepare<[number, number], Epoch>(
    `select epoch, weight, max(iif(users > 0, day, null)) over () as last_day from ab_users
     where test_id = ? and variant_id = ? order by epoch desc limit 1`,
  );
  const selectLastEpoch = db
    .prepare<[number], number>("select max(epoch) from ab_users where test_id = ?")
    .pluck();
  const addUsers = db.prepare<[number, number, number, number, number, number]>(
    `insert into ab_users(test_id, variant_id, epoch, day, weight, users) values (?, ?, ?, ?, ?, ?)
     on conflict do update set users = users + excluded.users`,
  );
  const selectTotal = db.prepare<[number, string, string], UserTotal>(
    "select count, sum from ab_totals where test_id = ? and user_id = ? and metric_name = ?",
  );
  const upsertTotal = db.prepare<[number, string, string, number, number]>(
    "insert or replace into ab_totals(test_id, user_id, metric_name, count, sum) values (?, ?, ?, ?, ?)",
  );

  // A hot metric changes with every value of a transaction; its row is written once, before the commit.
  const open = new Map<string, Open>();
  const finished: Open[] = [];
  const newUsers = new Map<string, { test_id: number; variant_id: number; day: number; users: number }>();

  function load({ test_id, variant_id, metric_name }: Place, day: number): Open {
    const key = `${test_id} ${variant_id} ${metric_name}`;
    const known = open.get(key);
    if (known !== undefined) return known;
    const row = selectLatest.get(test_id, variant_id, metric_name);
    const tally = row === undefined ? emptyTally(metric_name) : tallyOf(row);
    const loaded = { test_id, variant_id, day: row?.day ?? day, tally };
    open.set(key, loaded);
    return loaded;
  }

  /** Opens a later day, whose figures go on from the last one's; what comes late counts on the day that is open. */
  function turnTo(entry: Open, day: number): void {
    if (day <= entry.day) return;
    finished.push({ ...entry });
    entry.day = day;
  }

  function saveUsers(test_id: number, variant_id: number, day: number, users: number): void {
    const { epoch, weight, last_day } = selectEpoch.get(test_id, variant_id) ?? FIRST_EPOCH;
    addUsers.run(test_id, variant_id, epoch, Math.max(day, last_day ?? day), weight, users);
  }

  return {
    beginEpoch({ id, variants }, at) {
      const epoch = (selectLastEpoch.get(id) ?? -1) + 1;
      for (const { id: variantId, weight } of variants)
        addUsers.run(id, variantId, epoch, dayOf(at), weight, 0);
    },

    countUser(test_id, variant_id, assignedAt) {
      const day = dayOf(assignedAt);
      const key = `${test_id} ${variant_id} ${day}`;
      const known = newUsers.get(key);
      if (known === undefined) newUsers.set(key, { test_id, variant_id, day, users: 1 });
      else known.users += 1;
    },

    countValue(place, value, occurredAt, counted) {
      const { test_id, user_id, metric_name } = place;
      const day = dayOf(occurredAt);
      const entry = load(place, day);
      turnTo(entry, day);
      entry.tally = { ...entry.tally, raw: addRaw(entry.tally.raw, value) };
      if (!counted) return;
      const { tally, total } = addCounted(entry.tally, selectTotal.get(test_id, user_id, metric_name), value);
      entry.tally = tally;
      upsertTotal.run(test_id, user_id, metric_name, total.count, total.sum);
    },

    ofTest(testId) {
      const users = selectUsers.all(testId);
      return {
        variants: variantTallies(users, selectNow.all(testId)),
        periods: periodsOf(users),
      };
    },

    byDay(testId) {
      const users = selectUsers
        .all(testId)
        .filter((row) => row.users > 0)
        .map((row) => ({ day: row.day, variant_id: row.variant_id, new_users: row.users }));
      const values = selectDays.all(testId).map((row) => ({
        day: row.day,
        variant_id: row.variant_id,
        metric: tallyOf(row),
      }));
      return [...users, ...values].sort((a, b) => a.day - b.day);
    },

    save() {
      for (const entry of finished) upsert.run(rowOf(entry));
      for (const entry of open.values()) upsert.run(rowOf(entry));
      for (const { test_id, variant_id, day, users } of newUsers.values()) {
        saveUsers(test_id, variant_id, day, users);
      }
    },

    forget() {
      open.clear();
      finished.length = 0;
      newUsers.clear();
    },
  };
}

function variantTallies(
  users: readonly UsersRow[],
  values: readonly (TallyRow & { variant_id: number })[],
): VariantTally[] {
  const variants = new Set([...users, ...values].map(({ variant_id }) => variant_id));
  return [...variants].map((variant_id) => ({
    variant_id,
    users: users.reduce((sum, row) => (row.variant_id === variant_id ? sum + row.users : sum), 0),
    metrics: values.filter((row) => row.variant_id === variant_id).map(tallyOf),
  }));
}

function periodsOf(rows: readonly UsersRow[]): Period[] {
  const epochs = new Map<number, Map<number, { variant_id: number; weight: number; users: number }>>();
  for (const { epoch, variant_id, weight, users } of rows) {
    const arms = epochs.get(epoch) ?? new Map();
    const arm = arms.get(variant_id) ?? { variant_id, weight, users: 0 };
    arms.set(variant_id, { ...arm, users: arm.users + users });
    epochs.set(epoch, arms);
  }
  return [...epochs.values()].map((arms) => [...arms.values()]);
}
