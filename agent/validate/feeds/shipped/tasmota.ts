import type { Mapping } from '../../../domain/feed-mapping.js';

/** The order of the parts is user-editable: these are the two that Tasmota's own documentation shows. */
const topics = ['tele/{device...}/SENSOR', '{device...}/tele/SENSOR'];
const time = { path: 'Time', format: 'iso' } as const;

/** Neither `Today` (begins again each night) nor `Period` (beside `Total` the same energy once more). */
const energy: Mapping = {
  name: 'energy',
  topics,
  meter: 'tasmota:{device}',
  first_channel: 1,
  values: [
    { as: 'power_w', path: 'ENERGY.Power', unit: 'W' },
    { as: 'import_wh', path: 'ENERGY.Total', unit: 'kWh' },
    { as: 'export_wh', path: 'ENERGY.ExportActive', unit: 'kWh' },
    { as: 'voltage_v', path: 'ENERGY.Voltage', unit: 'V' },
    { as: 'current_a', path: 'ENERGY.Current', unit: 'A' },
    { as: 'power_factor', path: 'ENERGY.Factor', unit: 'fraction' },
    { as: 'frequency_hz', path: 'ENERGY.Frequency', unit: 'Hz' },
  ],
  time,
};

/** The names of group and values are written by the user into the script; these are those of the examples. */
const sml: Mapping = {
  name: 'sml',
  topics,
  meter: 'tasmota:{device}:{group}',
  each: '*',
  values: [
    { as: 'power_w', path: ['Power_curr', 'Power_cur', '16_7_0'], unit: 'W' },
    { as: 'import_wh', path: ['Total_in', 'E_in', '1_8_0'], unit: 'kWh' },
    { as: 'export_wh', path: ['Total_out', 'E_out', '2_8_0'], unit: 'kWh' },
  ],
  time,
};

export const tasmota: readonly Mapping[] = [energy, sml];
