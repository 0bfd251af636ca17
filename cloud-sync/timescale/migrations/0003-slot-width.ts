/** Slots say how long they are and what is remarkable about them. */
export const SLOT_WIDTH = `
alter table wattwarden_data.slot add column slot_minutes smallint not null default 5;
alter table wattwarden_data.slot add column flags integer not null default 0;

create or replace view wattwarden.slot as
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
         s.model_version, s.slot_minutes, s.flags
    from wattwarden_data.slot s join wattwarden_data.gateway g on g.id = s.gateway_id;
`;
