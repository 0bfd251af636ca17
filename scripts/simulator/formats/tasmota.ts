import { type Format, kilo, rounded } from './format.js';

/** A socket with Tasmota; its Time is local in the field, and said with an offset here so that no zone must be agreed on. */
export const tasmota: Format = {
  name: 'tasmota',
  hasTime: true,
  meterName: ({ id }) => `tasmota:${id}`,
  encode({ id }, { reading }) {
    const { ts, power_w, import_wh, export_wh, voltage_v, current_a } = reading;
    const payload = {
      Time: `${new Date(ts).toISOString().slice(0, 19)}+00:00`,
      ENERGY: {
        Total: kilo(import_wh),
        ...(export_wh === undefined ? {} : { ExportActive: kilo(export_wh) }),
        Power: rounded(power_w, 0),
        Voltage: rounded(voltage_v, 0),
        Current: current_a,
      },
    };
    return [{ topic: `tele/${id}/SENSOR`, payload: JSON.stringify(payload) }];
  },
};
