/** Anomalies say what the hours before them were like. */
export const CIRCUMSTANCES = `
alter table wattwarden_data.anomaly add column circumstances jsonb;

create or replace view wattwarden.anomaly as
  select g.name as gateway, a.meter, a.slot_start, a.revision,
         a.score_e4 / 10000.0 as score,
         a.raw_score_e4 / 10000.0 as raw_score,
         a.type,
         a.expected_mwh / 1000.0 as expected_wh,
         a.actual_mwh / 1000.0 as actual_wh,
         a.contributions, a.sentence, a.model_version, a.circumstances
    from wattwarden_data.anomaly a join wattwarden_data.gateway g on g.id = a.gateway_id
   where a.sentence <> '';
`;
