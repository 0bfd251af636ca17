import { type Format, kilo } from './format.js';

/** The port of a Dutch meter: numbers as texts, two tariffs. The message names no meter, so there can be only one. */
export const dsmrReader: Format = {
  name: 'dsmr-reader',
  hasTime: true,
  meterName: () => 'dsmr',
  encode(_, { reading }) {
    const { ts, power_w, import_wh, export_wh = 0, voltage_v } = reading;
    // Which of the two counted when is forgotten; their sum is what was drawn.
    const low = Math.floor(import_wh * 0.4);
    const text = (wattHours: number): string => kilo(wattHours).toFixed(3);
    const payload = {
      timestamp: `${new Date(ts).toISOString().slice(0, 19)}Z`,
      electricity_delivered_1: text(low),
      electricity_delivered_2: text(Math.round(import_wh) - low),
      electricity_returned_1: '0.000',
      electricity_returned_2: text(Math.round(export_wh)),
      electricity_currently_delivered: text(Math.max(power_w, 0)),
      electricity_currently_returned: text(Math.max(-power_w, 0)),
      phase_voltage_l1: voltage_v.toFixed(1),
    };
    return [{ topic: 'dsmr/json', payload: JSON.stringify(payload) }];
  },
};
