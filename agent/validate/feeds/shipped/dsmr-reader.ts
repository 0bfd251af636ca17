import type { Mapping } from '../../../domain/feed-mapping.js';

export const dsmrReader: readonly Mapping[] = [
  {
    name: 'telegram',
    topics: ['dsmr/json'],
    // The message does not say which meter it is of; a DSMR-reader reads one.
    meter: 'dsmr',
    values: [
      {
        as: 'power_w',
        path: 'electricity_currently_delivered',
        minus: ['electricity_currently_returned'],
        unit: 'kW',
      },
      { as: 'import_wh', path: 'electricity_delivered_1', plus: ['electricity_delivered_2'], unit: 'kWh' },
      { as: 'export_wh', path: 'electricity_returned_1', plus: ['electricity_returned_2'], unit: 'kWh' },
      { as: 'voltage_v', path: 'phase_voltage_l1', unit: 'V' },
    ],
    time: { path: 'timestamp', format: ['iso', 'dsmr'], zone: 'Europe/Amsterdam' },
  },
];
