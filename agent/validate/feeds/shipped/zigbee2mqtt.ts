import type { Mapping } from '../../../domain/feed-mapping.js';

export const zigbee2mqtt: readonly Mapping[] = [
  {
    name: 'plug',
    // A friendly name may contain slashes.
    topics: ['zigbee2mqtt/{name...}'],
    except: [
      'zigbee2mqtt/bridge/{rest...}',
      'zigbee2mqtt/{name...}/availability',
      'zigbee2mqtt/{name...}/set',
      'zigbee2mqtt/{name...}/set/{key}',
      'zigbee2mqtt/{name...}/get',
      'zigbee2mqtt/{name...}/get/{key}',
    ],
    meter: 'z2m:{name}',
    values: [
      { as: 'power_w', path: 'power', unit: 'W' },
      { as: 'import_wh', path: 'energy', unit: 'kWh' },
      { as: 'export_wh', path: 'produced_energy', unit: 'kWh' },
      { as: 'voltage_v', path: 'voltage', unit: 'V' },
      { as: 'current_a', path: 'current', unit: 'A' },
      // 0.98 from one plug, 98 from another.
      { as: 'power_factor', path: 'power_factor', unit: 'fraction_or_percent' },
      { as: 'frequency_hz', path: 'ac_frequency', unit: 'Hz' },
    ],
    time: { path: 'last_seen', format: ['iso', 'epoch_ms'] },
  },
];
