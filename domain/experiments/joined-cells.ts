import type { DayCell, MetricSums, WeightPeriod } from "./cells.ts";
import type { Experiment } from "./experiment.ts";
import { metricSumsOf, type Sums } from "./user-total.ts";

// Both storage engines keep the parts of a cell in rows of their own; here they become what the port promises.

interface CellPlace {
  readonly day: number;
  readonly variant_id: number;
  readonly period: number;
}

/** How many users a cell has. */
export interface CellUsers extends CellPlace {
  readonly users: number;
}

/** The sums of one metric in a cell, made with or without a declaration of the metric. */
export interface CellSums extends CellPlace {
  readonly metric_name: string;
  readonly declared: boolean;
  readonly sums: Sums;
}

/** The cells, oldest day first; sums from before a metric was declared are left out. */
export function joinCells(
  { metrics }: Experiment,
  { users, sums }: { readonly users: readonly CellUsers[]; readonly sums: readonly CellSums[] },
): DayCell[] {
  const cells = new Map<string, CellPlace & { users: number; metrics: MetricSums[] }>();
  function cellOf({ day, variant_id, period }: CellPlace) {
    const id = `${day} ${variant_id} ${period}`;
    const cell = cells.get(id) ?? { day, variant_id, period, users: 0, metrics: [] };
    cells.set(id, cell);
    return cell;
  }
  for (const row of users) cellOf(row).users = row.users;
  for (const row of sums) {
    const definition = metrics.find(({ metric_name }) => metric_name === row.metric_name);
    if (row.declared === (definition !== undefined))
      cellOf(row).metrics.push(metricSumsOf(definition, row.metric_name, row.sums));
  }
  return [...cells.values()].sort((a, b) => a.day - b.day);
}

export interface PeriodWeight {
  readonly period: number;
  readonly started_at: number;
  readonly variant_id: number;
  readonly weight: number;
}

/** The periods in their order; of an experiment that has none on record, its present weights since it was created. */
export function periodsOf(
  { created_at, variants }: Experiment,
  rows: readonly PeriodWeight[],
): WeightPeriod[] {
  if (rows.length === 0)
    return [
      { started_at: created_at, weights: variants.map(({ id, weight }) => ({ variant_id: id, weight })) },
    ];
  const periods = new Map<
    number,
    { started_at: number; weights: { variant_id: number; weight: number }[] }
  >();
  for (const { period, started_at, variant_id, weight } of rows) {
    const known = periods.get(period) ?? { started_at, weights: [] };
    known.weights.push({ variant_id, weight });
    periods.set(period, known);
  }
  return [...periods.values()];
}
