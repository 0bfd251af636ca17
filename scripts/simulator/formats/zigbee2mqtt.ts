import { type Format, kilo, rounded } from './format.js';

/** A plug whose power factor comes in per cent, and which says when it was seen. */
export const zigbee2mqtt: Format = {
  name: 'zigbee2mqtt',
  hasTime: true,
  meterName: ({ id }) => `z2m:${id}`,
  encode({ id }, { reading }) {
    const { ts, power_w, import_wh, export_wh, voltage_v, current_a } = reading;
    const payload = {
      state: 'ON',
      power: rounded(power_w, 1),
      energy: kilo(import_wh),
      ...(export_wh === undefined ? {} : { produced_energy: kilo(export_wh) }),
      voltage: voltage_v,
      current: current_a,
      linkquality: 112,
      last_seen: new Date(ts).toISOString(),
    };
    return [{ topic: `zigbee2mqtt/${id}`, payload: JSON.stringify(payload) }];
  },
};
