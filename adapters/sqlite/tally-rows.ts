import type { MetricTally } from "../../domain/experiments/tally.ts";

export interface TallyRow {
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

// Values near the end of a double's range add up to more than it holds, and infinities of both signs to no number at
// all. The column takes no null, and later values must still be taken: such a figure stays infinite, and is not shown.
const storable = (figure: number): number => (Number.isNaN(figure) ? Number.POSITIVE_INFINITY : figure);

export type TallyValues = { test_id: number; variant_id: number; day: number } & TallyRow;

export const TALLY_COLUMNS = `metric_name, raw_count, raw_sum, raw_min, raw_max, count, sum, users, sums_mean, sums_m2,
  counts_mean, counts_m2`;

export const tallyOf = (row: TallyRow): MetricTally => ({
  metric_name: row.metric_name,
  raw: { count: row.raw_count, sum: row.raw_sum, min: row.raw_min, max: row.raw_max },
  count: row.count,
  sum: row.sum,
  sums: { n: row.users, mean: row.sums_mean, m2: row.sums_m2 },
  counts: { n: row.users, mean: row.counts_mean, m2: row.counts_m2 },
});

export const rowOf = ({
  test_id,
  variant_id,
  day,
  tally,
}: {
  test_id: number;
  variant_id: number;
  day: number;
  tally: MetricTally;
}): TallyValues => ({
  test_id,
  variant_id,
  day,
  metric_name: tally.metric_name,
  raw_count: tally.raw.count,
  raw_sum: storable(tally.raw.sum),
  raw_min: tally.raw.min,
  raw_max: tally.raw.max,
  count: tally.count,
  sum: storable(tally.sum),
  users: tally.sums.n,
  sums_mean: storable(tally.sums.mean),
  sums_m2: storable(tally.sums.m2),
  counts_mean: tally.counts.mean,
  counts_m2: tally.counts.m2,
});
