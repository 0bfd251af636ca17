import type { Mapping } from '../../../domain/feed-mapping.js';

export const wmbusmeters: readonly Mapping[] = [
  {
    name: 'telegram',
    topics: ['wmbusmeters/{topic}'],
    // The number on the meter; what stands in the topic is the user's choice.
    meter: 'wmbus:{payload.id}',
    // Heat meters have kilowatt hours too.
    only_if: [{ path: 'media', is: ['electricity'] }],
    values: [
      {
        as: 'power_w',
        path: 'current_power_consumption_kw',
        minus: ['current_power_production_kw'],
        unit: 'kW',
      },
      { as: 'import_wh', path: 'total_energy_consumption_kwh', unit: 'kWh' },
      { as: 'export_wh', path: 'total_energy_production_kwh', unit: 'kWh' },
      { as: 'voltage_v', path: 'voltage_at_phase_1_v', unit: 'V' },
    ],
    // When the telegram was received, in UTC. `device_datetime` is local and counts whole minutes only, so that
    // several telegrams with other values would have one time.
    time: { path: 'timestamp', format: 'iso' },
    flags: [
      { flag: 'tamper', path: 'status', contains: ['tamper', 'fraud', 'manipulation'] },
      { flag: 'fault', path: 'status', contains: ['error', 'alarm', 'power_low'] },
      { flag: 'reversed', path: 'status', contains: ['reverse'] },
    ],
  },
];
