// SQL expressions that several statements share.

const SLICES = 32;

/** Among this many rows each figure is spread; each statement picks one of them. */
export const anySlice = (): number => Math.floor(Math.random() * SLICES);

/** An SQL expression: the day of an epoch time in milliseconds. */
export const dayOf = (milliseconds: string): string => `floor(${milliseconds} / 86400000.0)::integer`;

/** An SQL expression: epoch milliseconds of a timestamptz. */
export const epochOf = (time: string): string => `round(extract(epoch from ${time}) * 1000)::bigint`;

/** An SQL expression: a timestamptz of epoch milliseconds. */
export const timeOf = (milliseconds: string): string => `to_timestamp(${milliseconds} / 1000.0)`;

/** The day of the rows that add up all days; no instant that is accepted has one as early. */
export const ALL_DAYS = -1_000_000;

/** When an experiment ends by itself, of a row of its settings: see endOf in domain/experiments/lifecycle.ts. */
export const endOf = (settings: string): string => `
  least(${settings}.stop_at, ${settings}.planned_users_reached_at + ${settings}.window_days * 86400000)`;

/** An SQL expression: the weight period in which an assignment of this time falls. */
export const periodAt = (testId: string, assignedAt: string): string => `
      coalesce((select max(period) from ab_periods where test_id = ${testId} and started_at <= ${assignedAt}), 0)`;
