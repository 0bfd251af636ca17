import { type Format, type FormatMeter, rounded } from './format.js';

/** Gen 2: a plug for one phase; for three a Pro 3EM, which says power and energy on two topics. */
export const shelly: Format = {
  name: 'shelly',
  hasTime: false,
  meterName: (meter) => `shelly:${deviceOf(meter)}:${isThree(meter) ? 'em' : 'switch'}:0`,
  encode(meter, { reading }) {
    const { power_w, import_wh, export_wh = 0, voltage_v, current_a } = reading;
    const topic = (component: string): string => `${deviceOf(meter)}/status/${component}:0`;
    if (!isThree(meter)) {
      const payload = {
        id: 0,
        output: true,
        apower: power_w,
        voltage: voltage_v,
        current: current_a,
        // Returned energy is counted here as well.
        aenergy: { total: rounded(import_wh + export_wh, 3) },
        ...(export_wh === 0 ? {} : { ret_aenergy: { total: export_wh } }),
      };
      return [{ topic: topic('switch'), payload: JSON.stringify(payload) }];
    }
    const phases = meter.phases.map((share, index) => ({
      [`${'abc'[index]}_voltage`]: rounded(voltage_v + index - 1, 1),
      [`${'abc'[index]}_act_power`]: rounded(power_w * share, 1),
    }));
    const power = {
      id: 0,
      ...Object.assign({}, ...phases),
      n_current: null,
      total_current: current_a,
      total_act_power: power_w,
    };
    const energy = { id: 0, total_act: rounded(import_wh, 2), total_act_ret: rounded(export_wh, 2) };
    return [
      { topic: topic('em'), payload: JSON.stringify(power) },
      { topic: topic('emdata'), payload: JSON.stringify(energy) },
    ];
  },
};

const isThree = ({ phases }: FormatMeter): boolean => phases.length === 3;
const deviceOf = (meter: FormatMeter): string =>
  `${isThree(meter) ? 'shellypro3em' : 'shellyplus1pm'}-${String(meter.number).padStart(6, '0')}`;
