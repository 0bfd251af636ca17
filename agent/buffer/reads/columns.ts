import { flagBits } from '../../domain/flags.js';

/** What the gateway stamped is corrected by what is known of its clock since; a meter's own time is kept as it is. */
export const TAKEN_AT = 'r.taken_at_ms + iif(r.time_source = 1, b.offset_ms, 0)';
export const RECEIVED_AT = 'r.received_at_ms + b.offset_ms';
const ESTIMATED = `iif(r.time_source = 1 and b.trust = 'estimated', ${flagBits(['time_estimated'])}, 0)`;

/** Rows of the file under the names of the domain's Stored… types. */
const MEASURED = `r.power_dw as powerDw,
    r.import_dwh as importDwh, r.export_dwh as exportDwh, r.voltage_cv as voltageCv, r.current_ma as currentMa,
    r.power_factor_pm as powerFactorPm, r.frequency_chz as frequencyChz, r.flags | ${ESTIMATED} as flags`;

export const SELECT_READINGS = `
  select r.seq, m.name as meter, ${TAKEN_AT} as takenAtMs,
    iif(r.time_source = 0, 'meter', 'gateway') as timeSource, ${RECEIVED_AT} as receivedAtMs, ${MEASURED}
  from reading r join meter m on m.id = r.meter join boot b on b.id = r.boot`;

/**
 * Newest first, so many before a number, by numbers in place of names (a meter's, and 0 where the meter gave the time), as
 * one text in JSON: a number that comes out of SQLite by itself costs three times what it costs within a text.
 */
export const SELECT_NUMBERS_BEFORE = `
  select json_group_array(json_array(seq, meter, takenAtMs, timeSource, receivedAtMs, powerDw, importDwh, exportDwh,
    voltageCv, currentMa, powerFactorPm, frequencyChz, flags))
  from (select r.seq, r.meter, ${TAKEN_AT} as takenAtMs, r.time_source as timeSource, ${RECEIVED_AT} as receivedAtMs,
    ${MEASURED} from reading r join boot b on b.id = r.boot where r.seq < ? order by r.seq desc limit ?)`;

export const slotColumns = (slotMs: number): string => `
  s.change_seq as changeSeq, s.revision, m.name as meter, s.slot_start_ms as slotStartMs,
  ${slotMs / 60_000} as slotMinutes, s.energy_mwh as energyMwh,
  s.mean_power_dw as meanPowerDw, s.min_power_dw as minPowerDw, s.max_power_dw as maxPowerDw, s.count,
  s.coverage_pm as coveragePm, s.min_voltage_cv as minVoltageCv, s.max_voltage_cv as maxVoltageCv,
  s.flags, s.score_e4 as scoreE4, s.raw_score_e4 as rawScoreE4, b.version as modelVersion`;
export const selectSlots = (slotMs: number): string => `
  select ${slotColumns(slotMs)} from slot s join meter m on m.id = s.meter left join model b on b.id = s.model`;

export const SELECT_FORECASTS = `
  select f.change_seq as changeSeq, f.revision, m.name as meter, f.issued_slot_ms as issuedSlotMs,
    b.version as modelVersion, f.packed
  from forecast f join meter m on m.id = f.meter join model b on b.id = f.model`;

export const SELECT_ANOMALIES = `
  select a.change_seq as changeSeq, a.revision, m.name as meter, a.slot_start_ms as slotStartMs, a.score_e4 as scoreE4,
    a.raw_score_e4 as rawScoreE4, a.type, a.expected_mwh as expectedMwh, a.actual_mwh as actualMwh, a.contributions,
    a.circumstances, a.sentence, b.version as modelVersion
  from anomaly a join meter m on m.id = a.meter join model b on b.id = a.model`;
