import type { FlagMapping, Mapping, ValueMapping } from '../../../domain/feed-mapping.js';

/**
 * Gen 2 and later. Power and energy of a three-phase meter come on two topics, and each alone is a reading. None of
 * them carries a time. A component keeps the name that Shelly gives it: one device may have several kinds.
 */
const flags: readonly FlagMapping[] = [{ flag: 'fault', path: 'errors', contains: ['power_meter_failure'] }];

/** Returned energy is counted in `aenergy` as well. */
const metered: readonly ValueMapping[] = [
  { as: 'power_w', path: 'apower', unit: 'W' },
  { as: 'import_wh', path: 'aenergy.total', minus: ['ret_aenergy.total'], unit: 'Wh' },
  { as: 'export_wh', path: 'ret_aenergy.total', unit: 'Wh' },
  { as: 'voltage_v', path: 'voltage', unit: 'V' },
  { as: 'current_a', path: 'current', unit: 'A' },
  { as: 'power_factor', path: 'pf', unit: 'fraction' },
  { as: 'frequency_hz', path: 'freq', unit: 'Hz' },
];

const component = (name: string, values: readonly ValueMapping[], as = name): Mapping => ({
  name,
  topics: [`{device...}/status/${name}:{channel}`],
  meter: `shelly:{device}:${as}:{channel}`,
  values,
  flags,
});

export const shelly: readonly Mapping[] = [
  component('em', [
    { as: 'power_w', path: 'total_act_power', unit: 'W' },
    { as: 'current_a', path: 'total_current', unit: 'A' },
    { as: 'voltage_v', path: 'a_voltage', unit: 'V' },
    { as: 'frequency_hz', path: 'a_freq', unit: 'Hz' },
  ]),
  component(
    'emdata',
    [
      { as: 'import_wh', path: 'total_act', unit: 'Wh' },
      { as: 'export_wh', path: 'total_act_ret', unit: 'Wh' },
    ],
    'em',
  ),
  component('em1', [
    { as: 'power_w', path: 'act_power', unit: 'W' },
    { as: 'voltage_v', path: 'voltage', unit: 'V' },
    { as: 'current_a', path: 'current', unit: 'A' },
    { as: 'power_factor', path: 'pf', unit: 'fraction' },
    { as: 'frequency_hz', path: 'freq', unit: 'Hz' },
  ]),
  component(
    'em1data',
    [
      { as: 'import_wh', path: 'total_act_energy', unit: 'Wh' },
      { as: 'export_wh', path: 'total_act_ret_energy', unit: 'Wh' },
    ],
    'em1',
  ),
  component('pm1', metered),
  component('switch', metered),
];
