import { type Format, type FormatMeter, kilo } from './format.js';

/** A radio meter that speaks of tampering in its status; its telegrams have seconds. */
export const wmbusmeters: Format = {
  name: 'wmbusmeters',
  hasTime: true,
  meterName: (meter) => `wmbus:${idOf(meter)}`,
  encode(meter, { reading, conditions }) {
    const { ts, power_w, import_wh, export_wh, voltage_v } = reading;
    const words = conditions.map((condition) => (condition === 'tamper' ? 'TAMPER' : 'REVERSE_ENERGY'));
    const payload = {
      _: 'telegram',
      media: 'electricity',
      meter: 'amiplus',
      id: idOf(meter),
      total_energy_consumption_kwh: kilo(import_wh),
      ...(export_wh === undefined ? {} : { total_energy_production_kwh: kilo(export_wh) }),
      current_power_consumption_kw: kilo(Math.max(power_w, 0)),
      current_power_production_kw: kilo(Math.max(-power_w, 0)),
      voltage_at_phase_1_v: voltage_v,
      status: words.length === 0 ? 'OK' : words.join(' ').toLowerCase(),
      timestamp: `${new Date(ts).toISOString().slice(0, 19)}Z`,
    };
    return [{ topic: `wmbusmeters/${meter.id}`, payload: JSON.stringify(payload) }];
  },
};

const idOf = ({ number }: FormatMeter): string => String(10_000_000 + number);
