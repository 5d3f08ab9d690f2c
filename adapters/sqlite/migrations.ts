import type { Migration } from "../migrate.ts";
import { FORMAT } from "../rollups/store.ts";

export interface SqliteMigration extends Migration {
  readonly sql: string;
}

// The five tables of the specification. A file may have them already, with rows.
const specified = `
create table if not exists events (
  id integer primary key autoincrement,
  event_type text not null,
  user_id text,
  session_id text,
  properties text,
  created_at timestamptz not null default current_timestamp
);
create table if not exists ab_tests (
  id integer primary key autoincrement,
  test_name text not null unique,
  description text,
  created_at timestamptz not null default current_timestamp
);
create table if not exists ab_variants (
  id integer primary key autoincrement,
  test_id integer not null,
  variant_name text not null,
  description text,
  weight real not null default 1.0,
  created_at timestamptz not null default current_timestamp,
  foreign key (test_id) references ab_tests(id) on delete cascade
);
create table if not exists ab_assignments (
  id integer primary key autoincrement,
  user_id text not null,
  test_id integer not null,
  variant_id integer not null,
  assigned_at timestamptz not null default current_timestamp,
  foreign key (test_id) references ab_tests(id) on delete cascade,
  foreign key (variant_id) references ab_variants(id) on delete cascade,
  unique(user_id, test_id)
);
create table if not exists ab_metrics (
  id integer primary key autoincrement,
  test_id integer not null,
  variant_id integer not null,
  metric_name text not null,
  value real not null,
  created_at timestamptz not null default current_timestamp,
  foreign key (test_id) references ab_tests(id) on delete cascade,
  foreign key (variant_id) references ab_variants(id) on delete cascade
);`;

// The instant of a created_at: text of SQLite or ISO 8601, or a number that another program has written (as fromSql in
// instants.ts reads it). A value that is not a time becomes the time of the upgrade.
const MILLISECONDS = `cast(round(case
    when typeof(created_at) in ('integer', 'real') and created_at between -62167219200 and 253402300799999
      then iif(created_at < 1e11, created_at * 1000, created_at)
    else coalesce(unixepoch(created_at, 'subsec'), unixepoch()) * 1000 end) as integer)`;

// The time of an event, and the key that stores a message once. A row of the specified table has only created_at, which
// becomes its time.
const whenAndOnce = `
alter table events add column occurred_at integer;
alter table events add column message_id blob;
update events set occurred_at = ${MILLISECONDS};
create unique index events_message_id on events(message_id) where message_id is not null;

alter table ab_metrics add column user_id text;
alter table ab_metrics add column occurred_at integer;
alter table ab_metrics add column message_id blob;
update ab_metrics set occurred_at = ${MILLISECONDS};
create unique index ab_metrics_message_id on ab_metrics(test_id, message_id) where message_id is not null;`;

// Properties of an experiment beyond the specified columns. They have a table of their own, so that the specified tables
// stay as they are.
const settings = `
create table ab_settings (
  test_id integer primary key references ab_tests(id) on delete cascade,
  salt text not null,
  status text not null,
  traffic real not null,
  confidence_level real not null,
  planned_users integer,
  stopped_at integer,
  control_variant_id integer references ab_variants(id) on delete set null,
  winner_variant_id integer references ab_variants(id) on delete set null,
  metrics text not null
);
insert into ab_settings(test_id, salt, status, traffic, confidence_level, metrics)
  select id, lower(hex(randomblob(16))), 'running', 1, 0.95, '[]' from ab_tests;
create index ab_variants_test_id on ab_variants(test_id);

-- Testers see a variant without being in the experiment.
create table ab_forced (
  test_id integer not null references ab_tests(id) on delete cascade,
  user_id text not null,
  variant_id integer not null references ab_variants(id) on delete cascade,
  forced_at integer not null,
  primary key (test_id, user_id)
) without rowid;`;

// The figures of results, updated in the transaction of each row, so that results never read the rows. Days are whole days
// since 1970, in UTC. A row without a user, from before the upgrade, counts as a raw value only.
const tallies = `
-- How many users were assigned, each day, under each set of weights (an epoch begins when the weights change).
create table ab_users (
  test_id integer not null references ab_tests(id) on delete cascade,
  variant_id integer not null references ab_variants(id) on delete cascade,
  epoch integer not null,
  day integer not null,
  weight real not null,
  users integer not null,
  primary key (test_id, variant_id, epoch, day)
) without rowid;
insert into ab_users(test_id, variant_id, epoch, day, weight, users)
  select v.test_id, v.id, 0, coalesce(unixepoch(v.created_at, 'auto'), unixepoch()) / 86400, max(v.weight, 0),
    (select count(*) from ab_assignments a where a.variant_id = v.id)
  from ab_variants v join ab_tests t on t.id = v.test_id;

-- What the values came to at the end of each day on which there were any: the latest row is what they come to now.
create table ab_tallies (
  test_id integer not null references ab_tests(id) on delete cascade,
  variant_id integer not null references ab_variants(id) on delete cascade,
  metric_name text not null,
  day integer not null,
  raw_count integer not null,
  raw_sum real not null,
  raw_min real,
  raw_max real,
  count integer not null,
  sum real not null,
  users integer not null,
  sums_mean real not null,
  sums_m2 real not null,
  counts_mean real not null,
  counts_m2 real not null,
  primary key (test_id, variant_id, metric_name, day)
) without rowid;
insert into ab_tallies
  select test_id, variant_id, metric_name, coalesce(max(occurred_at), 0) / 86400000, count(*), sum(value), min(value),
    max(value), 0, 0, 0, 0, 0, 0, 0
  from ab_metrics
  where test_id in (select id from ab_tests) and variant_id in (select id from ab_variants)
  group by test_id, variant_id, metric_name;

-- What each user's counted values come to.
create table ab_totals (
  test_id integer not null references ab_tests(id) on delete cascade,
  user_id text not null,
  metric_name text not null,
  count integer not null,
  sum real not null,
  primary key (test_id, user_id, metric_name)
) without rowid;

-- The always-valid figures as they were last shown, which later looks may only sharpen.
create table ab_looks (
  test_id integer not null references ab_tests(id) on delete cascade,
  subject text not null,
  p_value real not null,
  lower real,
  upper real,
  primary key (test_id, subject)
) without rowid;`;

// The rollups that questions are answered from: see adapters/rollups/store.ts for the rows, formats.ts for the bytes.
// Rows come in nearly in the order of their time: the index grows at its end, and costs an insert next to nothing.
const rollups = `
create index events_occurred_at on events(occurred_at);

-- Which events the figures below have in them: all up to this id, by which plan last. How many numbers have been given out.
create table event_fold (
  only_row integer primary key check (only_row = 1),
  through integer not null,
  plan integer not null,
  users integer not null,
  types integer not null,
  properties integer not null
);
insert into event_fold(only_row, through, plan, users, types, properties) values (1, 0, 0, 0, 0, 0);

create table event_types (
  id integer primary key,
  event_type text not null unique,
  count integer not null,
  first_seen integer not null,
  last_seen integer not null
);
create table event_users (
  user_id text primary key,
  number integer not null
) without rowid;
-- How often a property stands in the events of a type. kept_values is null where it has too many different values to
-- keep their counts.
create table event_properties (
  id integer primary key,
  type_id integer not null,
  name text not null,
  strings integer not null default 0,
  numbers integer not null default 0,
  booleans integer not null default 0,
  nulls integer not null default 0,
  objects integer not null default 0,
  arrays integer not null default 0,
  kept_values integer,
  unique (type_id, name)
);

create table event_values (
  property_id integer not null,
  value text not null,
  number integer not null,
  primary key (property_id, value)
) without rowid;

-- How many events in each hour of a day, of a type (0 for all types); and in an hour with each value of a property.
create table event_hours (
  type_id integer not null,
  day integer not null,
  hours blob not null,
  primary key (type_id, day)
) without rowid;
create table event_value_hours (
  property_id integer not null,
  hour integer not null,
  counts blob not null,
  primary key (property_id, hour)
) without rowid;

-- Which users had an event of a type (0 for any type) in an hour, and the events of a type in an hour: who, when, which.
-- Each in parts, of which only the last one grows.
create table event_visitors (
  type_id integer not null,
  hour integer not null,
  part integer not null,
  users blob not null,
  primary key (type_id, hour, part)
);
create table event_postings (
  type_id integer not null,
  hour integer not null,
  part integer not null,
  last_ms integer not null,
  last_id integer not null,
  entries blob not null,
  primary key (type_id, hour, part)
);`;

// The client's own timestamp of an event that is stored with another time, because the client's clock was ahead.
const clientTimestamps = `
alter table events add column client_timestamp integer;`;
// What results are computed from: see domain/experiments/cells.ts. A cell is kept per day, and once more over all days
// with the day -1000000, so that reading it costs the same for a test of a day and of a year. Days are whole days since
// 1970 in UTC. Each sum is a pair of doubles, `y` and `y_low`. The period of an assignment is written down when its user
// is counted, so that a user's values reach the cell that counts the user.
const cells = `
alter table ab_assignments add column period integer;

create table ab_periods (
  test_id integer not null references ab_tests(id) on delete cascade,
  period integer not null,
  variant_id integer not null,
  started_at integer not null,
  weight real not null,
  primary key (test_id, period, variant_id)
) without rowid;
-- Of earlier changes of weights only the day is known.
insert into ab_periods(test_id, period, variant_id, started_at, weight)
  select test_id, epoch, variant_id, min(day) * 86400000, weight from ab_users group by test_id, epoch, variant_id;

create table ab_cell_users (
  test_id integer not null references ab_tests(id) on delete cascade,
  day integer not null,
  variant_id integer not null,
  period integer not null,
  users integer not null,
  primary key (test_id, day, variant_id, period)
) without rowid;

create table ab_cell_sums (
  test_id integer not null references ab_tests(id) on delete cascade,
  day integer not null,
  variant_id integer not null,
  period integer not null,
  metric_name text not null,
  declared integer not null,
  users_with_value integer not null,
  users_not_zero integer not null,
  count integer not null,
  y real not null, y_low real not null,
  yy real not null, yy_low real not null,
  x real not null, x_low real not null,
  xx real not null, xx_low real not null,
  xy real not null, xy_low real not null,
  d real not null, d_low real not null,
  dd real not null, dd_low real not null,
  yd real not null, yd_low real not null,
  primary key (test_id, day, variant_id, period, metric_name, declared)
) without rowid;

-- One user's counted values of one metric, those of its denominator, and the covariate. The day is that of the latest
-- change, before which no later change is dated.
create table ab_observations (
  test_id integer not null references ab_tests(id) on delete cascade,
  user_id text not null,
  metric_name text not null,
  declared integer not null,
  day integer not null,
  count integer not null,
  total real not null, total_low real not null,
  denominator_count integer not null,
  denominator_total real not null, denominator_total_low real not null,
  covariate real not null,
  primary key (test_id, user_id, metric_name)
) without rowid;

-- Every stored value, counted or not, and how many did not count.
create table ab_raw_values (
  test_id integer not null references ab_tests(id) on delete cascade,
  variant_id integer not null,
  metric_name text not null,
  count integer not null,
  sum real not null, sum_low real not null,
  min real,
  max real,
  before_assignment integer not null,
  after_stop integer not null,
  after_window integer not null,
  wrong_type integer not null,
  out_of_range integer not null,
  primary key (test_id, variant_id, metric_name)
) without rowid;

-- Rows that were stored before the cells, and are tallied in the background: those after next_id, up to through_id.
-- Without a test it is all of the table.
create table ab_tally_backlog (
  id integer primary key,
  source text not null,
  test_id integer references ab_tests(id) on delete cascade,
  metric_name text,
  next_id integer not null,
  through_id integer not null
);
insert into ab_tally_backlog(source, next_id, through_id)
  select 'assignments', 0, max(id) from ab_assignments having max(id) is not null;
insert into ab_tally_backlog(source, next_id, through_id)
  select 'values', 0, max(id) from ab_metrics having max(id) is not null;
insert into ab_tally_backlog(source, next_id, through_id)
  select 'events', 0, max(id) from events
  where exists (select 1 from ab_settings where metrics like '%"event_type"%') having max(id) is not null;`;

// Experiments that are deleted, while rows of their users are still in the file: see deletions.ts.
const deletions = `
create table ab_deletions (test_id integer primary key);`;

// Which version wrote the rollups, which events they contain, and the highest numbers assigned. No version reads format 0:
// rollups of before are rebuilt, since names of properties are JSON now and distances of ids have a sign.
const rollupFormat = `
drop table event_fold;
create table event_rollup (
  only_row integer primary key check (only_row = 1),
  format integer not null,
  through integer not null,
  build integer not null,
  users integer not null,
  types integer not null,
  properties integer not null
);
insert into event_rollup(only_row, format, through, build, users, types, properties)
  values (1, iif(exists (select 1 from event_types), 0, ${FORMAT}), 0, 0, 0, 0, 0);
alter table event_properties rename column kept_values to distinct_values;`;
// How an experiment ends by itself, what is kept of a decision, and what was known of its users when they were assigned.
const life = `
alter table ab_settings add column window_days integer not null default 0;
alter table ab_settings add column stop_at integer;
alter table ab_settings add column planned_users_reached_at integer;
alter table ab_settings add column details text;
create table ab_attributes (
  test_id integer not null,
  user_id text not null,
  attributes text not null,
  primary key (test_id, user_id)
) without rowid;`;

// Results are a function of the data: what earlier looks showed is not kept.
const noLooks = `
drop table ab_looks;`;

// What results were computed from before the cells.
const dropTallies = `
drop table ab_users;
drop table ab_tallies;
drop table ab_totals;`;

// Which ids are one person: see domain/people/links.ts. The row of a user id that others are linked to names itself.
const userLinks = `
create table user_links (
  user_id text primary key,
  person_id text not null,
  linked_at integer not null
) without rowid;
create index user_links_person on user_links(person_id);`;

// What an erasure needs to take a user out of the results, and what it leaves behind: see people/erasures.ts.
const erasures = `
-- A user's total of a metric at the end of each day with a change, but for the last one, which is in ab_observations.
create table ab_past_observations (
  test_id integer not null references ab_tests(id) on delete cascade,
  user_id text not null,
  metric_name text not null,
  day integer not null,
  count integer not null,
  total real not null, total_low real not null,
  denominator_count integer not null,
  denominator_total real not null, denominator_total_low real not null,
  covariate real not null,
  primary key (test_id, user_id, metric_name, day)
) without rowid;
-- The part of one user in ab_raw_values.
create table ab_user_raw_values (
  test_id integer not null references ab_tests(id) on delete cascade,
  user_id text not null,
  metric_name text not null,
  variant_id integer not null,
  period integer not null,
  count integer not null,
  sum real not null, sum_low real not null,
  min real,
  max real,
  before_assignment integer not null,
  after_stop integer not null,
  after_window integer not null,
  wrong_type integer not null,
  out_of_range integer not null,
  primary key (test_id, user_id, metric_name)
) without rowid;

-- Receipts. Without erased_at the erasure is under way.
create table erasures (
  receipt text primary key,
  requested_at integer not null,
  erased_at integer,
  events integer not null,
  assignments integer not null,
  metric_values integer not null,
  links integer not null,
  -- The ids of values up to which those of the users are deleted, and the last one.
  values_reached integer not null,
  values_end integer not null
) without rowid;
create index erasures_erased_at on erasures(erased_at, receipt);
-- The ids that are being erased. Their events are shown to nobody. The alias is their name in the rollups.
create table erasing (
  user_id text primary key,
  receipt text not null,
  alias text not null
) without rowid;
-- Messages whose event or value was removed, so that a late retry stores nothing.
create table removed_messages (
  message_id blob primary key,
  event_id integer not null,
  created_at text not null
) without rowid;
create table ab_removed_messages (
  test_id integer not null,
  message_id blob not null,
  metric_id integer not null,
  variant_id integer not null,
  primary key (test_id, message_id)
) without rowid;`;

const annotations = `
-- Moments that explain figures, such as deploys.
create table annotations (
  annotation_id text primary key,
  at integer not null,
  text text not null
) without rowid;
create index annotations_at on annotations(at, annotation_id);`;

const savedQuestions = `
-- Reports that people have saved under a name; the question is JSON.
create table saved_questions (
  question_id text primary key,
  name text not null,
  pinned integer not null,
  question text not null,
  created_at integer not null
) without rowid;`;

const shares = `
-- Links that show one page. Of a secret only its digest is known.
create table shares (
  share_id text primary key,
  digest text not null unique,
  page text not null,
  name text,
  created_at integer not null,
  expires_at integer
) without rowid;
create index shares_created_at on shares(created_at, share_id);`;

const keptCounts = `
-- The number of expired events by type and day (since 1970, UTC), where ANALYTICS_KEEP_COUNTS keeps it. counts is a list of
-- JSON: the number in each quarter of an hour. Nothing can compute these rows again.
create table event_kept_counts (
  day integer not null,
  event_type text not null,
  counts text not null,
  events integer not null,
  primary key (day, event_type)
) without rowid;`;

export const migrations: readonly SqliteMigration[] = [
  { name: "0001_specified_tables", sql: specified },
  { name: "0002_when_and_once", sql: whenAndOnce },
  { name: "0003_experiment_settings", sql: settings },
  { name: "0004_tallies", sql: tallies },
  { name: "0005_event_rollups", sql: rollups },
  { name: "0006_client_timestamps", sql: clientTimestamps },
  { name: "0007_deletions", sql: deletions },
  { name: "0008_experiment_cells", sql: cells },
  { name: "0009_rollup_format", sql: rollupFormat },
  { name: "0010_experiment_life", sql: life },
  { name: "0011_no_looks", sql: noLooks },
  { name: "0012_drop_tallies", sql: dropTallies },
  { name: "0014_user_links", sql: userLinks },
  { name: "0015_erasures", sql: erasures },
  { name: "0017_annotations", sql: annotations },
  { name: "0018_saved_questions", sql: savedQuestions },
  { name: "0019_shares", sql: shares },
  { name: "0020_kept_counts", sql: keptCounts },
];
