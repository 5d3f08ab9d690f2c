import { MAX_TOTAL, MAX_VALUE } from "../../../domain/experiments/metric.ts";
import { isKept } from "./deletions.ts";
import { ALL_DAYS, dayOf, endOf, epochOf, joinMember, periodAt, timeOf } from "./expressions.ts";

// The statements that store values and events, and move the sums of the cells in the same act. Each is one statement,
// so it is one transaction and one round trip. See domain/experiments/user-total.ts for what is computed here: an
// observation of a user moves, and what that changes is added to the sums of their cell, of one day and of all days.
// Sums are decimals and so exact: they are the same in whatever order the values come.

/** A value beyond the bound counts for nothing, so that it keeps no other from being counted. */
const inRange = (value: string): string => `case when abs(${value}) <= ${MAX_VALUE} then ${value} end`;

/** The observation that values are: see observationOf in domain/experiments/user-total.ts. */
export const observation = (kind: string, cap: string, count: string, total: string): string => `
    greatest(-${cap}, least(${cap}, case ${kind} when 'conversion' then least(${count}, 1) when 'count' then ${count}
      else ${total} end))`;

/** Adds raw values to those of their slice, from a select of the columns in this order. */
const addRaw = (select: string): string => `
    insert into ab_raw_values as r (test_id, variant_id, metric_name, slice, count, sum, min, max, before_assignment,
      after_stop, after_window, wrong_type, out_of_range)
    ${select}
    group by test_id, variant_id, metric_name order by test_id, variant_id, metric_name
    on conflict (test_id, variant_id, metric_name, slice) do update set
      count = r.count + excluded.count, sum = r.sum + excluded.sum, min = least(r.min, excluded.min),
      max = greatest(r.max, excluded.max), before_assignment = r.before_assignment + excluded.before_assignment,
      after_stop = r.after_stop + excluded.after_stop, after_window = r.after_window + excluded.after_window,
      wrong_type = r.wrong_type + excluded.wrong_type, out_of_range = r.out_of_range + excluded.out_of_range`;

/**
 * Moves the cells for the rows of `given(turn, test_id, variant_id, period, assigned_at, user_id, value, occurred_at,
 * latest_at, dropped, metric_name, target, side, declared, kind, cap, denominator_kind, denominator_cap, window_ms)`: each is a
 * value of `metric_name` as it changes the metric `target`, on the side of its own values or of its denominator's.
 * Locks are taken in one order: first those of the users' observations, then those of the sums.
 */
const moveCells = (slice: string, keepsRaw = "true"): string => `
  judged as (
    select g.*, ${dayOf("occurred_at")} as day, ${dayOf("assigned_at")} as assigned_day,
      case
        when dropped is not null then dropped
        when abs(value) > ${MAX_VALUE} or abs(coalesce(o.total, 0) + sum(${inRange("value")}) over so_far) > ${MAX_TOTAL}
          then 'out_of_range'
        when latest_at < assigned_at then 'before_assignment'
        when occurred_at > assigned_at + window_ms then 'after_window'
      end as reason
    from given g left join ab_observations o
      on o.user_id = g.user_id and o.test_id = g.test_id and o.metric_name = g.target and o.declared = g.declared
        and g.side = 'own'
    window so_far as (partition by g.test_id, g.user_id, g.target, g.side order by g.turn)
  ),
  raw as (${addRaw(`
    select test_id, variant_id, metric_name, ${slice}::integer, count(kept), coalesce(sum(kept), 0), min(kept),
      max(kept), count(*) filter (where reason = 'before_assignment'), count(*) filter (where reason = 'after_stop'),
      count(*) filter (where reason = 'after_window'), count(*) filter (where reason = 'wrong_type'),
      count(*) filter (where reason = 'out_of_range')
    from judged cross join lateral (select case when reason = 'out_of_range' then null else value end as kept) k
    where side = 'own' and ${keepsRaw}`)}
  ),
  -- The part of each user in them, so that it can be given back.
  user_raw as (
    insert into ab_user_raw_values as r (user_id, test_id, metric_name, variant_id, period, count, sum, min, max,
      before_assignment, after_stop, after_window, wrong_type, out_of_range)
    select user_id, test_id, metric_name, variant_id, period, count(kept), coalesce(sum(kept), 0), min(kept),
      max(kept), count(*) filter (where reason = 'before_assignment'), count(*) filter (where reason = 'after_stop'),
      count(*) filter (where reason = 'after_window'), count(*) filter (where reason = 'wrong_type'),
      count(*) filter (where reason = 'out_of_range')
    from judged cross join lateral (select case when reason = 'out_of_range' then null else value end as kept) k
    where side = 'own' and ${keepsRaw}
    group by user_id, test_id, metric_name, variant_id, period order by user_id, test_id, metric_name
    on conflict (user_id, test_id, metric_name) do update set
      count = r.count + excluded.count, sum = r.sum + excluded.sum, min = least(r.min, excluded.min),
      max = greatest(r.max, excluded.max), before_assignment = r.before_assignment + excluded.before_assignment,
      after_stop = r.after_stop + excluded.after_stop, after_window = r.after_window + excluded.after_window,
      wrong_type = r.wrong_type + excluded.wrong_type, out_of_range = r.out_of_range + excluded.out_of_range
  ),
  -- No change is dated before the latest one of its user's observation.
  on_day as (
    select j.*, greatest(o.day, j.assigned_day, max(j.day) over so_far) as changed_day
    from judged j left join ab_observations o
      on o.user_id = j.user_id and o.test_id = j.test_id and o.metric_name = j.target and o.declared = j.declared
    where j.reason is null
    window so_far as (partition by j.test_id, j.user_id, j.target order by j.turn)
  ),
  gained as (
    select test_id, variant_id, period, user_id, target as metric_name, declared, kind, cap, denominator_kind,
      denominator_cap, changed_day as day, count(*) filter (where side = 'own') as count,
      coalesce(sum(value) filter (where side = 'own'), 0) as total,
      count(*) filter (where side = 'denominator') as denominator_count,
      coalesce(sum(value) filter (where side = 'denominator'), 0) as denominator_total
    from on_day
    group by test_id, variant_id, period, user_id, target, declared, kind, cap, denominator_kind, denominator_cap,
      changed_day
  ),
  -- What a metric had before it was declared is not continued: that is tallied anew.
  moved_totals as (
    insert into ab_observations as o (test_id, user_id, metric_name, declared, day, count, total, denominator_count,
      denominator_total, covariate)
    select test_id, user_id, metric_name, declared, max(day), sum(count), sum(total), sum(denominator_count),
      sum(denominator_total), 0
    from gained group by test_id, user_id, metric_name, declared order by user_id, test_id, metric_name
    on conflict (user_id, test_id, metric_name) do update set
      declared = excluded.declared,
      day = case when o.declared = excluded.declared then greatest(o.day, excluded.day) else excluded.day end,
      count = case when o.declared = excluded.declared then o.count else 0 end + excluded.count,
      total = case when o.declared = excluded.declared then o.total else 0 end + excluded.total,
      denominator_count =
        case when o.declared = excluded.declared then o.denominator_count else 0 end + excluded.denominator_count,
      denominator_total =
        case when o.declared = excluded.declared then o.denominator_total else 0 end + excluded.denominator_total,
      covariate = case when o.declared = excluded.declared then o.covariate else 0 end
    returning test_id, user_id, metric_name, count, total, denominator_count, denominator_total, covariate
  ),
  -- A user's totals at the end of each of these days, counted back from what they are now.
  reached as (
    select a.*, t.covariate, t.count - sum(a.count) over everything + sum(a.count) over so_far as new_count,
      t.total - sum(a.total) over everything + sum(a.total) over so_far as new_total,
      t.denominator_count - sum(a.denominator_count) over everything + sum(a.denominator_count) over so_far
        as new_denominator_count,
      t.denominator_total - sum(a.denominator_total) over everything + sum(a.denominator_total) over so_far
        as new_denominator_total,
      lag(a.day) over so_far as day_before, lead(a.day) over so_far as next_day
    from gained a join moved_totals t using (test_id, user_id, metric_name)
    window everything as (partition by a.test_id, a.user_id, a.metric_name),
      so_far as (partition by a.test_id, a.user_id, a.metric_name order by a.day)
  ),
  -- The totals at the end of the days that are left by this.
  past as (
    insert into ab_past_observations(user_id, test_id, metric_name, declared, day, count, total, denominator_count,
      denominator_total, covariate)
    select user_id, test_id, metric_name, declared, day, new_count, new_total, new_denominator_count,
      new_denominator_total, covariate
    from reached where next_day is not null
    union all
    select r.user_id, r.test_id, r.metric_name, r.declared, o.day, r.new_count - r.count, r.new_total - r.total,
      r.new_denominator_count - r.denominator_count, r.new_denominator_total - r.denominator_total, r.covariate
    from reached r join ab_observations o
      on o.user_id = r.user_id and o.test_id = r.test_id and o.metric_name = r.metric_name
        and o.declared = r.declared
    where r.day_before is null and o.day < r.day
    on conflict (user_id, test_id, metric_name, declared, day) do nothing
  ),
  observed as (
    select *,
      ${observation("kind", "cap", "(new_count - count)", "(new_total - total)")} as y0,
      ${observation("kind", "cap", "new_count", "new_total")} as y1,
      case when denominator_kind is null then 0 else ${observation(
        "denominator_kind",
        "denominator_cap",
        "(new_denominator_count - denominator_count)",
        "(new_denominator_total - denominator_total)",
      )} end as d0,
      case when denominator_kind is null then 0 else ${observation(
        "denominator_kind",
        "denominator_cap",
        "new_denominator_count",
        "new_denominator_total",
      )} end as d1
    from reached
  ),
  moved_sums as (
    insert into ab_cell_sums as s (test_id, day, variant_id, period, metric_name, declared, slice, users_with_value,
      users_not_zero, count, y, yy, x, xx, xy, d, dd, yd)
    select test_id, each.day, variant_id, period, metric_name, declared, ${slice}::integer,
      sum((new_count > 0)::integer - (new_count > count)::integer),
      sum((y1 <> 0)::integer - (y0 <> 0)::integer), sum(count), sum(y1 - y0), sum(y1 * y1 - y0 * y0), 0, 0,
      sum(covariate * (y1 - y0)), sum(d1 - d0), sum(d1 * d1 - d0 * d0), sum(y1 * d1 - y0 * d0)
    from observed cross join lateral (values (observed.day), (${ALL_DAYS})) as each(day)
    group by test_id, each.day, variant_id, period, metric_name, declared
    order by test_id, each.day, variant_id, period, metric_name, declared
    on conflict (test_id, day, variant_id, period, metric_name, declared, slice) do update set
      users_with_value = s.users_with_value + excluded.users_with_value,
      users_not_zero = s.users_not_zero + excluded.users_not_zero, count = s.count + excluded.count,
      y = s.y + excluded.y, yy = s.yy + excluded.yy, xy = s.xy + excluded.xy, d = s.d + excluded.d,
      dd = s.dd + excluded.dd, yd = s.yd + excluded.yd
  )`;

const parameters = (first: number, types: readonly string[]): string =>
  types.map((type, index) => `$${first + index}::${type}[]`).join(", ");

/** The contributions of the values: one row for each metric that a value changes, with the id of the value. */
const contributions = (first: number): string => `
  unnest(${parameters(first, [
    "bigint",
    "text",
    "text",
    "boolean",
    "text",
    "numeric",
    "text",
    "numeric",
    "bigint",
  ])}) as c(value_id, target, side, declared, kind, cap, denominator_kind,
    denominator_cap, window_ms)`;

// Nothing is stored where an experiment has changed since its metrics were read: the caller reads them again. A
// tester's value is kept, but belongs to no user of the experiment; after the end nothing counts any more.
export const STORE_VALUES = `
  with revised as (select revision from ab_revision),
  proposed as (
    select p.*, member.user_id as member_id, coalesce(member.variant_id, f.variant_id) as variant_id,
      ${epochOf("member.assigned_at")} as assigned_at,
      coalesce(member.period, ${periodAt("member.test_id", epochOf("member.assigned_at"))}) as period, coalesce(s.status, 'running') = any($10::text[])
        and p.created_at <= coalesce(${endOf("s")}, p.created_at) as open,
      abs(coalesce(o.total, 0) + coalesce(sum(${inRange("p.value")})
        over (partition by p.test_id, coalesce(member.user_id, p.user_id), p.metric_name order by p.turn), 0)) <= ${MAX_TOTAL} as fits
    from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::numeric[], $6::bigint[], $7::bigint[],
      $8::bigint[], $9::bytea[]) with ordinality
      as p(id, test_id, user_id, metric_name, value, created_at, occurred_at, latest_at, message_id, turn)
    ${joinMember("p")}
    left join ab_forced f on f.test_id = p.test_id and f.user_id = p.user_id
    left join ab_settings s on s.test_id = p.test_id
    left join ab_observations o
      on o.user_id = member.user_id and o.test_id = p.test_id and o.metric_name = p.metric_name
    where coalesce(member.variant_id, f.variant_id) is not null and ${isKept("p.test_id")}
      and (select revision from revised) = $12::bigint
  ),
  once as (
    insert into ab_metric_messages(message_id, test_id, metric_id, variant_id)
    select message_id, test_id, id, variant_id from proposed where message_id is not null and fits
    order by message_id, test_id, turn
    on conflict (message_id, test_id) do nothing
    returning metric_id
  ),
  stored as (
    insert into ab_metrics(id, test_id, variant_id, metric_name, value, created_at, user_id, occurred_at, message_id,
      revision)
    select id, test_id, variant_id, metric_name, value, ${timeOf("created_at")}, user_id, occurred_at, message_id,
      $12::bigint
    from proposed where fits and (message_id is null or id in (select metric_id from once))
    on conflict (id) do nothing
    returning id
  ),
  given as (
    select p.turn, p.test_id, p.variant_id, p.period, p.assigned_at, p.member_id as user_id,
      case when p.open then p.value end as value, p.occurred_at, p.latest_at, case when not p.open then 'after_stop' end as dropped,
      p.metric_name, c.target, c.side, c.declared, c.kind, c.cap, c.denominator_kind, c.denominator_cap, c.window_ms
    from proposed p join stored using (id) join ${contributions(13)} on c.value_id = p.id
    where p.assigned_at is not null
  ),
  ${moveCells("$11")}
  select r.revision, p.id, p.variant_id, p.fits, p.id in (select id from stored) as stored,
    case when p.assigned_at is null then 'tester' else j.reason end as reason
  from revised r left join proposed p on true left join judged j on j.turn = p.turn and j.side = 'own'`;

/** The rows of `given`, of the values that events are or that are tallied later, if their users are in the experiment. */
const givenOf = (values: string, first: number): string => `
  given as (
    select w.turn, w.test_id, member.variant_id,
      coalesce(member.period, ${periodAt("member.test_id", epochOf("member.assigned_at"))}) as period,
      ${epochOf("member.assigned_at")} as assigned_at, member.user_id, w.value, w.occurred_at, w.latest_at, w.dropped, w.metric_name, c.target, c.side, c.declared, c.kind, c.cap,
      c.denominator_kind, c.denominator_cap, c.window_ms
    from ${values} w ${joinMember("w")}
    join ${contributions(first)} on c.value_id = w.turn
    where member.user_id is not null
  )`;

const watched = (first: number): string => `
  unnest(${parameters(first, ["bigint", "bigint", "text", "text", "numeric", "bigint", "bigint", "text"])}) with ordinality
    as w(event_id, test_id, user_id, metric_name, value, occurred_at, latest_at, dropped, turn)`;

const EVENTS = `
  with revised as (select revision from ab_revision),
  proposed as (
    select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
      $8::bigint[], $9::bytea[])
      as e(id, event_type, user_id, session_id, properties, created_at, occurred_at, client_timestamp, message_id)
    where (select revision from revised) = $10::bigint
  ),
  once as (
    insert into event_messages(message_id, event_id, created_at)
    select message_id, id, ${timeOf("created_at")} from proposed where message_id is not null
    order by message_id, id
    on conflict (message_id) do nothing
    returning event_id
  ),
  stored as (
    insert into events(id, event_type, user_id, session_id, properties, created_at, occurred_at, client_timestamp,
      message_id, journaled, revision)
    select id, event_type, user_id, session_id, properties, ${timeOf("created_at")}, occurred_at, client_timestamp,
      message_id, true, $10::bigint
    from proposed where message_id is null or id in (select event_id from once)
    on conflict (id) do nothing
    returning id
  ),
  -- What the rollups lack: see reports/unbuilt-events.ts.
  journal as (
    insert into event_journal(first_id, ids, events)
    select min(id), array_agg(id), count(*) from stored having count(*) > 0
  )`;

const EVENTS_ANSWER = `
  select revision, array(select id from proposed where id not in (select id from stored)) as refused from revised`;

/** Stores events that are no values. Nothing is stored where an experiment has changed since its metrics were read. */
export const STORE_EVENTS = `${EVENTS} ${EVENTS_ANSWER}`;

/** Stores events, some of which are values of metrics. */
export const STORE_EVENTS_WITH_VALUES = `${EVENTS},
  watched as (select w.* from ${watched(11)} join stored s on s.id = w.event_id),
  ${givenOf("watched", 20)},
  ${moveCells("$19")}
  ${EVENTS_ANSWER}`;

/** Tallies values that were stored before; without $19 they are raw values already. */
export const TALLY_STORED = `
  with watched as (select * from ${watched(1)}),
  ${givenOf("watched", 10)},
  ${moveCells("$9", "$19::boolean")}
  select count(*) from judged`;

/** Tallies values of before there were users with them: they are raw values alone. */
export const TALLY_WITHOUT_USERS = addRaw(`
    select test_id, variant_id, metric_name, $2::integer, count(*), sum(number), min(number),
      max(number), 0, 0, 0, 0, 0
    from ab_metrics cross join lateral (select value::text::numeric as number) as exact
    where id = any($1::bigint[]) and user_id is null and ${isKept("test_id")}`);
