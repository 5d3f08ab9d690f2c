// SQLite stores cumulative moments at the end of each day, PostgreSQL the increase of the sums and sums of squares per
// day. The figures of the latest day are computed exactly from the totals of users, and those of earlier days from
// their moments: Σx² = m2 + (Σx)²/n, with forty decimal places.

export const STAGE_TALLIES = `
  create temporary table staged on commit drop as
  select * from json_to_recordset($1::json) as t(test_id bigint, variant_id bigint, metric_name text, day integer,
    raw_count bigint, raw_sum numeric, raw_min numeric, raw_max numeric, count bigint, sum numeric, users bigint,
    sums_mean numeric, sums_m2 numeric, counts_mean numeric, counts_m2 numeric)`;

export const COPY_TALLIES = `
  with now as (
    select t.test_id, a.variant_id, t.metric_name, count(*) as users, sum(t.count) as count,
      sum(t.count * t.count) as count_squares, sum(t.sum) as sum, sum(t.sum * t.sum) as sum_squares
    from ab_totals t join ab_assignments a on a.user_id = t.user_id and a.test_id = t.test_id
    group by t.test_id, a.variant_id, t.metric_name
  ),
  squared as (
    select s.*, lead(day) over days is null as latest,
      coalesce(counts_m2 + (count::numeric * count)::numeric(80, 40) / nullif(users, 0), 0) as count_squares,
      coalesce(sums_m2 + (sum * sum)::numeric(800, 40) / nullif(users, 0), 0) as sum_squares
    from staged s window days as (partition by test_id, variant_id, metric_name order by day)
  ),
  whole as (
    select s.test_id, s.variant_id, s.metric_name, s.day, s.raw_count, s.raw_sum, s.raw_min, s.raw_max,
      case when latest then coalesce(n.users, 0) else s.users end as users,
      case when latest then coalesce(n.count, 0) else s.count end as count,
      case when latest then coalesce(n.count_squares, 0) else s.count_squares end as count_squares,
      case when latest then coalesce(n.sum, 0) else s.sum end as sum,
      case when latest then coalesce(n.sum_squares, 0) else s.sum_squares end as sum_squares
    from squared s left join now n using (test_id, variant_id, metric_name)
  )
  insert into ab_tallies(test_id, variant_id, metric_name, day, slice, raw_count, raw_sum, raw_min, raw_max, users,
    count, count_squares, sum, sum_squares)
  select test_id, variant_id, metric_name, day, 0, raw_count - lag(raw_count, 1, 0::bigint) over days,
    raw_sum - lag(raw_sum, 1, 0.0) over days, raw_min, raw_max, users - lag(users, 1, 0::bigint) over days,
    count - lag(count, 1, 0::numeric) over days, count_squares - lag(count_squares, 1, 0::numeric) over days,
    sum - lag(sum, 1, 0.0) over days, sum_squares - lag(sum_squares, 1, 0::numeric) over days
  from whole window days as (partition by test_id, variant_id, metric_name order by day)
  on conflict do nothing`;
