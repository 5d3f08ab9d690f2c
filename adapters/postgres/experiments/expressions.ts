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

/**
 * An SQL join: `member` is the assignment that a value of the row's user and test counts under. It is their own, else the
 * first one of the person. The look-up of the person's other ids is spared where there is an own one.
 */
export const joinMember = (row: string): string => `
    left join ab_assignments own on own.user_id = ${row}.user_id and own.test_id = ${row}.test_id
    left join lateral (
      select other.* from user_links l join user_links ids on ids.person_id = l.person_id
      join ab_assignments other on other.user_id = ids.user_id and other.test_id = ${row}.test_id
      where own.user_id is null and l.user_id = ${row}.user_id
      order by other.assigned_at, other.user_id collate "C" limit 1
    ) linked on true
    cross join lateral (
      select coalesce(own.user_id, linked.user_id) as user_id, coalesce(own.test_id, linked.test_id) as test_id,
        coalesce(own.variant_id, linked.variant_id) as variant_id,
        coalesce(own.assigned_at, linked.assigned_at) as assigned_at, coalesce(own.period, linked.period) as period
    ) member`;

/** The day of the rows that add up all days; no instant that is accepted has one as early. */
export const ALL_DAYS = -1_000_000;

/** When an experiment ends by itself, of a row of its settings: see endOf in domain/experiments/lifecycle.ts. */
export const endOf = (settings: string): string => `
  least(${settings}.stop_at, ${settings}.planned_users_reached_at + ${settings}.window_days * 86400000)`;

/** An SQL expression: the weight period in which an assignment of this time falls. */
export const periodAt = (testId: string, assignedAt: string): string => `
      coalesce((select max(period) from ab_periods where test_id = ${testId} and started_at <= ${assignedAt}), 0)`;
