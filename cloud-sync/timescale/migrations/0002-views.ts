/** For people: names in place of numbers, physical units in place of scaled integers. */
export const VIEWS = `
create view wattwarden.gateway as
  select name as gateway, registered_at, last_hello_at from wattwarden_data.gateway;

create view wattwarden.reading as
  select g.name as gateway, r.meter, r.taken_at, r.received_at, r.time_source,
         r.power_dw / 10.0 as power_w,
         r.import_dwh / 10.0 as import_wh,
         r.export_dwh / 10.0 as export_wh,
         r.voltage_cv / 100.0 as voltage_v,
         r.current_ma / 1000.0 as current_a,
         r.power_factor_pm / 1000.0 as power_factor,
         r.frequency_chz / 100.0 as frequency_hz,
         r.flags
    from wattwarden_data.reading r join wattwarden_data.gateway g on g.id = r.gateway_id;

create view wattwarden.slot as
  select g.name as gateway, s.meter, s.slot_start, s.revision,
         s.energy_mwh / 1000.0 as energy_wh,
         s.mean_power_dw / 10.0 as mean_power_w,
         s.min_power_dw / 10.0 as min_power_w,
         s.max_power_dw / 10.0 as max_power_w,
         s.count, s.coverage_pm / 1000.0 as coverage,
         s.min_voltage_cv / 100.0 as min_voltage_v,
         s.max_voltage_cv / 100.0 as max_voltage_v,
         s.score_e4 / 10000.0 as score,
         s.raw_score_e4 / 10000.0 as raw_score,
         s.model_version
    from wattwarden_data.slot s join wattwarden_data.gateway g on g.id = s.gateway_id;

create view wattwarden.forecast as
  select g.name as gateway, f.meter, f.issued_slot, f.revision, f.model_version, f.packed
    from wattwarden_data.forecast f join wattwarden_data.gateway g on g.id = f.gateway_id;

-- One that was withdrawn has lost its sentence.
create view wattwarden.anomaly as
  select g.name as gateway, a.meter, a.slot_start, a.revision,
         a.score_e4 / 10000.0 as score,
         a.raw_score_e4 / 10000.0 as raw_score,
         a.type,
         a.expected_mwh / 1000.0 as expected_wh,
         a.actual_mwh / 1000.0 as actual_wh,
         a.contributions, a.sentence, a.model_version
    from wattwarden_data.anomaly a join wattwarden_data.gateway g on g.id = a.gateway_id
   where a.sentence <> '';

create view wattwarden.position as
  select g.name as gateway, p.stream, l.name as log, p.accepted, p.batches, p.rows, p.updated_at
    from wattwarden_data.position p
    join wattwarden_data.gateway g on g.id = p.gateway_id
    join wattwarden_data.log l on l.id = p.log_id;

create view wattwarden.release as
  select r.sequence, r.version, r.released_at, count(f.name) as files, sum(length(f.content)) as bytes
    from wattwarden_data.release r left join wattwarden_data.release_file f on f.version = r.version
   group by r.sequence, r.version, r.released_at;
`;
