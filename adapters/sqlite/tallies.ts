import type { Database } from "better-sqlite3";
import {
  addCounted,
  addRaw,
  emptyTally,
  type MetricTally,
  type UserTotal,
  type VariantTally,
} from "../../domain/tally.ts";
import type { Gathered } from "./writer.ts";

interface TallyRow {
  metric_name: string;
  raw_count: number;
  raw_sum: number;
  raw_min: number | null;
  raw_max: number | null;
  count: number;
  sum: number;
  users: number;
  sums_mean: number;
  sums_m2: number;
  counts_mean: number;
  counts_m2: number;
}

type TallyValues = { test_id: number; variant_id: number } & TallyRow;

interface Changed {
  readonly test_id: number;
  readonly variant_id: number;
  tally: MetricTally;
}

/** What results need, kept up to date value by value: see domain/tally.ts for what each figure is. */
export interface Tallies extends Gathered {
  countUser(testId: number, variantId: number): void;
  /** A value of a user of this variant; one that happened before the assignment is kept but not `counted`. */
  countValue(place: Place, value: number, counted: boolean): void;
  ofTest(testId: number): readonly VariantTally[];
}

interface Place {
  readonly test_id: number;
  readonly variant_id: number;
  readonly user_id: string;
  readonly metric_name: string;
}

const COLUMNS = `metric_name, raw_count, raw_sum, raw_min, raw_max, count, sum, users, sums_mean, sums_m2, counts_mean,
  counts_m2`;

const tallyOf = (row: TallyRow): MetricTally => ({
  metric_name: row.metric_name,
  raw: { count: row.raw_count, sum: row.raw_sum, min: row.raw_min, max: row.raw_max },
  count: row.count,
  sum: row.sum,
  sums: { n: row.users, mean: row.sums_mean, m2: row.sums_m2 },
  counts: { n: row.users, mean: row.counts_mean, m2: row.counts_m2 },
});

const rowOf = ({ test_id, variant_id, tally }: Changed): TallyValues => ({
  test_id,
  variant_id,
  metric_name: tally.metric_name,
  raw_count: tally.raw.count,
  raw_sum: tally.raw.sum,
  raw_min: tally.raw.min,
  raw_max: tally.raw.max,
  count: tally.count,
  sum: tally.sum,
  users: tally.sums.n,
  sums_mean: tally.sums.mean,
  sums_m2: tally.sums.m2,
  counts_mean: tally.counts.mean,
  counts_m2: tally.counts.m2,
});

export function createTallies(db: Database): Tallies {
  const selectOne = db.prepare<[number, number, string], TallyRow>(
    `select ${COLUMNS} from ab_tallies where test_id = ? and variant_id = ? and metric_name = ?`,
  );
  const selectTest = db.prepare<[number], TallyRow & { variant_id: number }>(
    `select variant_id, ${COLUMNS} from ab_tallies where test_id = ?`,
  );
  const upsert = db.prepare<TallyValues>(
    `insert or replace into ab_tallies(test_id, variant_id, ${COLUMNS})
     values (@test_id, @variant_id, @metric_name, @raw_count, @raw_sum, @raw_min, @raw_max, @count, @sum, @users,
       @sums_mean, @sums_m2, @counts_mean, @counts_m2)`,
  );
  const selectUsers = db.prepare<[number], { variant_id: number; users: number }>(
    "select variant_id, users from ab_users where test_id = ?",
  );
  const addUsers = db.prepare<[number, number, number]>(
    `insert into ab_users(test_id, variant_id, users) values (?, ?, ?)
     on conflict do update set users = users + excluded.users`,
  );
  const selectTotal = db.prepare<[number, string, string], UserTotal>(
    "select count, sum from ab_totals where test_id = ? and user_id = ? and metric_name = ?",
  );
  const upsertTotal = db.prepare<[number, string, string, number, number]>(
    "insert or replace into ab_totals(test_id, user_id, metric_name, count, sum) values (?, ?, ?, ?, ?)",
  );

  // A hot metric changes with every value of a transaction; its row is written once, before the commit.
  const changed = new Map<string, Changed>();
  const newUsers = new Map<string, { test_id: number; variant_id: number; users: number }>();

  function load({ test_id, variant_id, metric_name }: Place): Changed {
    const key = `${test_id} ${variant_id} ${metric_name}`;
    const known = changed.get(key);
    if (known !== undefined) return known;
    const row = selectOne.get(test_id, variant_id, metric_name);
    const loaded = { test_id, variant_id, tally: row === undefined ? emptyTally(metric_name) : tallyOf(row) };
    changed.set(key, loaded);
    return loaded;
  }

  return {
    countUser(test_id, variant_id) {
      const key = `${test_id} ${variant_id}`;
      const known = newUsers.get(key);
      if (known === undefined) newUsers.set(key, { test_id, variant_id, users: 1 });
      else known.users += 1;
    },

    countValue(place, value, counted) {
      const { test_id, user_id, metric_name } = place;
      const entry = load(place);
      entry.tally = { ...entry.tally, raw: addRaw(entry.tally.raw, value) };
      if (!counted) return;
      const { tally, total } = addCounted(entry.tally, selectTotal.get(test_id, user_id, metric_name), value);
      entry.tally = tally;
      upsertTotal.run(test_id, user_id, metric_name, total.count, total.sum);
    },

    ofTest(testId) {
      const users = new Map(selectUsers.all(testId).map((row) => [row.variant_id, row.users]));
      const rows = selectTest.all(testId);
      const variants = new Set([...users.keys(), ...rows.map((row) => row.variant_id)]);
      return [...variants].map((variant_id) => ({
        variant_id,
        users: users.get(variant_id) ?? 0,
        metrics: rows.filter((row) => row.variant_id === variant_id).map(tallyOf),
      }));
    },

    save() {
      for (const entry of changed.values()) upsert.run(rowOf(entry));
      for (const { test_id, variant_id, users } of newUsers.values())
        addUsers.run(test_id, variant_id, users);
    },

    forget() {
      changed.clear();
      newUsers.clear();
    },
  };
}
