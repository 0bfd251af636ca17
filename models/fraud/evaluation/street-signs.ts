import { DAY_MS } from '../../../agent/domain/slot.js';
import type { Street } from '../../fleet/street.js';
import { voltageAt } from '../../fleet/voltage.js';
import { dayOf, type MeterSigns } from '../fleet-power.js';

export interface StreetMeter {
  readonly street: Street;
  /** Of the street. */
  readonly seed: number;
  readonly customer: number;
  /** Since 1970. */
  readonly firstDay: number;
  /** What truly flows to the customer, on whole days from that one on. */
  readonly flowsW: Float32Array;
}

/**
 * What a meter of a street measures beside its power. The voltage is there whatever a thief makes the meter count, and
 * gone while the feeder is; on a street nobody loses a phase, opens a cover or sets a register back.
 */
export function streetSigns(meter: StreetMeter): MeterSigns {
  const days = (meter.flowsW.length * meter.street.stepMinutes * 60_000) / DAY_MS;
  return { lowestVoltageV: Float32Array.from({ length: days }, (_, day) => lowestVoltageV(meter, day)) };
}

function lowestVoltageV({ street, seed, customer, firstDay, flowsW }: StreetMeter, day: number): number {
  if (street.outagesOn(street.feederOf(customer), firstDay + day).length > 0) return 0;
  const stepMs = street.stepMinutes * 60_000;
  return dayOf(flowsW, DAY_MS / stepMs, day).reduce((lowest, watts, step) => {
    const middleMs = (firstDay + day) * DAY_MS + (step + 0.5) * stepMs;
    return Math.min(lowest, voltageAt({ seed, number: customer }, middleMs, watts));
  }, Number.POSITIVE_INFINITY);
}
