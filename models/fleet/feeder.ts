import type { Random } from '../../agent/domain/clock.js';
import { between } from './random-stream.js';

/** What lines and transformer take of the power F at the feeder meter: constantW + perW × F². */
export interface TechnicalLoss {
  readonly constantW: number;
  readonly perW: number;
}

/** What passes a feeder over a year: the mean power, and the mean of its square. */
export interface UsualLoad {
  readonly meanW: number;
  readonly meanSquareW2: number;
}

/** Within the 2 to 6 % of a year's energy that lines usually take, with room for weeks that are not usual. */
const LEAST_LOSS = 0.028;
const MOST_LOSS = 0.046;

/** Most of it grows with the square of the current. */
export function drawTechnicalLoss({ meanW, meanSquareW2 }: UsualLoad, random: Random): TechnicalLoss {
  const lossW = between(random, LEAST_LOSS, MOST_LOSS) * meanW;
  const constant = between(random, 0.15, 0.35);
  return { constantW: constant * lossW, perW: meanSquareW2 === 0 ? 0 : ((1 - constant) * lossW) / meanSquareW2 };
}

/** The power at the feeder meter from what arrives at all its customers. */
export function withTechnicalLoss(deliveredW: Float32Array, { constantW, perW }: TechnicalLoss): Float32Array {
  return deliveredW.map((watts) => {
    const linear = watts + constantW;
    if (perW === 0) return linear;
    // F = delivered + constant + perW F². Beyond the vertex of the square no line carries: the loss grows no more there.
    const vertex = 1 / (4 * perW);
    if (linear > vertex) return linear + vertex;
    return (1 - Math.sqrt(1 - 4 * perW * linear)) / (2 * perW);
  });
}

/** Step by step; NaN anywhere is NaN in the sum. */
export function sumOf(series: readonly Float32Array[], length: number): Float32Array {
  const total = new Float32Array(length);
  for (const values of series)
    for (let step = 0; step < length; step++) total[step] = (total[step] ?? 0) + (values[step] ?? 0);
  return total;
}

/** Accuracy of a meter by its class (IEC 62053-21): the largest share by which it may err. */
export const METER_CLASSES = { '0.5': 0.005, '1': 0.01, '2': 0.02 } as const;
export type MeterClass = keyof typeof METER_CLASSES;

/** The factor by which one meter errs all its life; most are far better than their class allows. */
export function drawMeterError(of: MeterClass, random: Random): number {
  return 1 + METER_CLASSES[of] * (between(random, -0.6, 0.6) + between(random, -0.4, 0.4));
}
