/** Time stands in every primary key of a long table, as a hypertable demands. */
export const TABLES = `
create table wattwarden_data.gateway (
  id            integer generated always as identity primary key,
  name          text not null unique check (name ~ '^[a-z][a-z0-9-]{0,39}$'),
  role_name     text not null unique,
  registered_at timestamptz not null default now(),
  last_hello_at timestamptz
);

create table wattwarden_data.log (
  id            integer generated always as identity primary key,
  gateway_id    integer not null references wattwarden_data.gateway,
  name          text not null check (length(name) between 1 and 64),
  first_seen_at timestamptz not null default now(),
  unique (gateway_id, name)
);

-- What was accepted, as ranges of positions in a gateway's log; neighbours join, so the list stays short.
create table wattwarden_data.position (
  gateway_id integer not null references wattwarden_data.gateway,
  stream     text not null,
  log_id     integer not null references wattwarden_data.log,
  accepted   int8multirange not null,
  batches    bigint not null,
  rows       bigint not null,
  updated_at timestamptz not null,
  primary key (gateway_id, stream, log_id)
);

create table wattwarden_data.reading (
  gateway_id      integer not null,
  meter           text not null check (length(meter) between 1 and 64),
  taken_at        timestamptz not null,
  log_id          integer not null,
  seq             bigint not null,
  received_at     timestamptz not null,
  time_source     text not null check (time_source in ('meter', 'gateway')),
  power_dw        bigint,
  import_dwh      bigint,
  export_dwh      bigint,
  voltage_cv      integer,
  current_ma      integer,
  power_factor_pm smallint,
  frequency_chz   smallint,
  flags           integer not null default 0,
  primary key (gateway_id, meter, taken_at)
);

create table wattwarden_data.slot (
  gateway_id     integer not null,
  meter          text not null check (length(meter) between 1 and 64),
  slot_start     timestamptz not null,
  log_id         integer not null,
  change_seq     bigint not null,
  revision       integer not null,
  energy_mwh     bigint not null,
  mean_power_dw  bigint not null,
  min_power_dw   bigint not null,
  max_power_dw   bigint not null,
  count          integer not null,
  coverage_pm    smallint not null,
  min_voltage_cv integer,
  max_voltage_cv integer,
  score_e4       smallint,
  raw_score_e4   smallint,
  model_version  text,
  primary key (gateway_id, meter, slot_start)
);

create table wattwarden_data.forecast (
  gateway_id    integer not null,
  meter         text not null check (length(meter) between 1 and 64),
  issued_slot   timestamptz not null,
  log_id        integer not null,
  change_seq    bigint not null,
  revision      integer not null,
  model_version text not null,
  packed        bytea not null check (length(packed) <= 16384),
  primary key (gateway_id, meter, issued_slot)
);

create table wattwarden_data.anomaly (
  gateway_id    integer not null,
  meter         text not null check (length(meter) between 1 and 64),
  slot_start    timestamptz not null,
  log_id        integer not null,
  change_seq    bigint not null,
  revision      integer not null,
  score_e4      smallint not null,
  raw_score_e4  smallint not null,
  type          text not null check (type in ('high_consumption', 'low_consumption', 'unusual_pattern')),
  expected_mwh  bigint not null,
  actual_mwh    bigint not null,
  contributions jsonb not null,
  sentence      text not null check (length(sentence) <= 2000),
  model_version text not null,
  primary key (gateway_id, meter, slot_start)
);

-- Newer is what has the higher sequence, whatever its name.
create table wattwarden_data.release (
  sequence    bigint generated always as identity primary key,
  version     text not null unique check (version ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  manifest    bytea not null check (length(manifest) <= 65536),
  signature   text not null check (length(signature) <= 256),
  released_at timestamptz not null default now()
);

create table wattwarden_data.release_file (
  version text not null references wattwarden_data.release (version),
  name    text not null check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  content bytea not null check (length(content) <= 8388608),
  primary key (version, name)
);

create function wattwarden_data.refuse_change() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'a release cannot be changed' using errcode = '55000';
end $$;

create trigger immutable before update or delete or truncate on wattwarden_data.release
  for each statement execute function wattwarden_data.refuse_change();
create trigger immutable before update or delete or truncate on wattwarden_data.release_file
  for each statement execute function wattwarden_data.refuse_change();
`;
