/** One entry for each version of the file; an entry is never edited once released. */
export const MIGRATIONS: readonly string[] = [
  `
create table setting (name text primary key, value text not null) strict, without rowid;

-- Positions that never go back. Each means something only together with the log that it counts in.
create table cursor (log_id text not null, name text not null, position integer not null,
  primary key (log_id, name)) strict, without rowid;

create table counter (name text primary key, value integer not null) strict, without rowid;

-- One row for each opening of this file. offset_ms is what must be added to the times that the gateway gave.
create table boot (
  id integer primary key autoincrement,
  kernel_boot_id text not null,
  opened_at_ms integer not null,
  uptime_ms integer not null,
  closed_at_ms integer,
  offset_ms integer not null default 0
) strict;

create table meter (
  id integer primary key,
  name text not null unique,
  kind text not null,
  feeder integer,
  rated_power_dw integer,
  version integer not null default 1
) strict;

-- Moves with the slots of a meter, so that nobody has to search the log for its newest reading.
create table meter_state (
  meter integer primary key,
  last_seq integer,
  last_taken_at_ms integer,
  newest_slot_ms integer,
  newest_forecast_ms integer
) strict;

-- Append-only, and no other index: one on (meter, taken_at) costs some thirty times the bytes written.
create table reading (
  seq integer primary key autoincrement,
  meter integer not null,
  taken_at_ms integer not null,
  time_source integer not null,
  received_at_ms integer not null,
  boot integer not null,
  monotonic_ms integer not null,
  power_dw integer,
  import_dwh integer,
  export_dwh integer,
  voltage_cv integer,
  current_ma integer,
  power_factor_pm integer,
  frequency_chz integer,
  flags integer not null
) strict;

-- The payload stands last: reading the other columns then skips its overflow pages.
create table rejected (
  seq integer primary key autoincrement,
  received_at_ms integer not null,
  reason text not null,
  detail text not null,
  topic text not null,
  payload blob not null
) strict;

create table model (
  id integer primary key,
  version text not null unique,
  state text,
  precision text,
  code text,
  detail text,
  at_ms integer
) strict;

-- change_seq moves with every change, data_seq only when readings changed the slot and it must be analysed again.
-- From power_count on: what a late reading needs in order to be merged, and to be recognised as a repeat.
create table slot (
  slot_start_ms integer not null,
  meter integer not null,
  revision integer not null,
  change_seq integer not null,
  data_seq integer not null,
  energy_mwh integer not null,
  mean_power_dw integer not null,
  min_power_dw integer not null,
  max_power_dw integer not null,
  count integer not null,
  coverage_pm integer not null,
  min_voltage_cv integer,
  max_voltage_cv integer,
  score_e4 integer,
  raw_score_e4 integer,
  model integer,
  power_count integer not null,
  power_sum_dw integer not null,
  import_sum_dw integer not null,
  power_min_dw integer,
  power_max_dw integer,
  first_register_ms integer,
  first_register_dwh integer,
  last_register_ms integer,
  last_register_dwh integer,
  times blob not null,
  primary key (slot_start_ms, meter)
) strict, without rowid;
create index slot_change on slot (change_seq);

create table forecast (
  issued_slot_ms integer not null,
  meter integer not null,
  revision integer not null,
  change_seq integer not null,
  model integer not null,
  packed blob not null,
  primary key (issued_slot_ms, meter)
) strict, without rowid;
create index forecast_change on forecast (change_seq);

create table anomaly (
  seq integer primary key autoincrement,
  meter integer not null,
  slot_start_ms integer not null,
  revision integer not null,
  change_seq integer not null,
  score_e4 integer not null,
  raw_score_e4 integer not null,
  type text not null,
  expected_mwh integer not null,
  actual_mwh integer not null,
  contributions text not null,
  sentence text not null,
  model integer not null
) strict;
create unique index anomaly_slot on anomaly (meter, slot_start_ms);
create index anomaly_change on anomaly (change_seq);
`,
  `
-- How often a meter is usually heard, as learned.
alter table meter_state add column interval_ms integer;

-- How often each rule of validation spoke, by day (since 1970, UTC) and meter (0: none that is registered).
create table quality (
  day integer not null,
  meter integer not null,
  rule text not null,
  count integer not null,
  detail text not null,
  primary key (day, meter, rule)
) strict, without rowid;
`,
  `
-- What the centre has of a stream beyond the cursor settled:<stream>, while live rows overtake a backlog.
create table settled (
  log_id text not null,
  stream text not null,
  after integer not null,
  up_to integer not null,
  primary key (log_id, stream, after)
) strict, without rowid;

-- Readings that were dropped, so that those left can be counted without counting them.
insert into counter (name, value) select 'dropped:reading', min(seq) - 1 from reading having min(seq) > 1;
insert into counter (name, value) select 'dropped:reading', seq from sqlite_sequence
  where name = 'reading' and not exists (select 1 from reading) and seq > 0;
`,
  `
-- A row of boot is a span in which nothing moved the gateway's time: from its opening, or from the moment in which the
-- time became known or doubtful. While it is 'untrusted', its readings wait (setting held_from: the first of them).
alter table boot add column trust text not null default 'unverified';
-- Of a span that was placed without evidence of its own: how much earlier it can have been.
alter table boot add column uncertainty_ms integer;
`,
  `
-- A file that was found damaged, or missing, and what became of its rows. Stays: it says what is lost.
create table damage (
  id integer primary key autoincrement,
  noticed_at_ms integer not null,
  cause text not null,
  file text,
  log_id text,
  state text not null,
  finished_at_ms integer,
  report text
) strict;
`,
  `
-- The newest row tells which number comes next; see row-numbers.ts.
create trigger reading_keeps_newest before delete on reading when old.seq = (select max(seq) from reading)
begin select raise(ignore); end;
`,
  `
-- Bytes written to the disk, by day (since 1970, UTC) and cause.
create table written (
  day integer not null,
  cause text not null,
  bytes integer not null,
  primary key (day, cause)
) strict, without rowid;

-- In the order in which they go.
create index anomaly_time on anomaly (slot_start_ms, meter);
`,
  `
-- Readings of the register one by one: what a late one among them changes cannot be told from the first and the last.
alter table slot add column flags integer not null default 0;
alter table slot add column registers blob not null default x'';

alter table meter add column register_max_dwh integer;
alter table meter_state add column newest_register_ms integer;

-- Finished days, four rows for each meter and day; see day-rows.ts for the id and day-packing.ts for the rest.
create table slot_day (
  id integer primary key,
  packed blob not null,
  first_change integer,
  unsent integer,
  last_register_ms integer,
  last_register_dwh integer,
  up_to_seq integer
) strict;
create index slot_day_unsent on slot_day (first_change) where unsent = 1;
`,
  `
-- Where the bands of a model have come to on this gateway: a float64 for each step.
alter table model add column miss_rates blob;
`,
  `
-- JSON: what the hours before an anomaly were like, for the record.
alter table anomaly add column circumstances text;
`,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * The oldest version whose program still reads a file of this one rightly: since then migrations have only added tables
 * and columns that an older program can do without. Raise it with a migration that changes or removes something.
 */
export const READABLE_SINCE = 2;

/** Marks the file as ours in its header: "WWbf". */
export const APPLICATION_ID = 0x57576266;
