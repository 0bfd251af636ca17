/** What a feeder loses by itself, in watts, from what goes into it: k0 + k1 F + k2 F². */
export interface TechnicalLoss {
  readonly constant: number;
  readonly linear: number;
  readonly square: number;
}

export const NO_LOSS: TechnicalLoss = { constant: 0, linear: 0, square: 0 };

export const technicalLossW = ({ constant, linear, square }: TechnicalLoss, feederW: number): number =>
  constant + linear * feederW + square * feederW * feederW;

export interface BalancedSlots {
  /** What the feeder's meter measured. */
  readonly feederW: Float64Array;
  /** What all of its customers' meters reported. */
  readonly reportedW: Float64Array;
}

/** Two days of half hours: fewer say nothing about a square. */
const FEWEST_SLOTS = 96;

/**
 * Fits the loss on slots without theft. The feeder's own noise must not be taken for loss that grows with load, so the
 * loss is fitted over what the customers report first, and then written as a function of what goes in.
 */
export function fitTechnicalLoss({ feederW, reportedW }: BalancedSlots): TechnicalLoss {
  if (reportedW.length < FEWEST_SLOTS) return NO_LOSS;
  const scale = reportedW.reduce((most, watts) => Math.max(most, watts), 0);
  if (!(scale > 0)) return NO_LOSS;
  const reported = reportedW.map((watts) => watts / scale);
  const byReported = fitParabola(
    reported,
    feederW.map((watts, slot) => watts / scale - (reported[slot] as number)),
  );
  if (byReported === undefined) return constantLoss({ feederW, reportedW });
  const lossAt = (share: number) => byReported[0] + byReported[1] * share + byReported[2] * share * share;
  const losses = reported.map(lossAt);
  const byFeeder = fitParabola(
    reported.map((share, slot) => share + (losses[slot] as number)),
    losses,
  );
  if (byFeeder === undefined) return constantLoss({ feederW, reportedW });
  return { constant: byFeeder[0] * scale, linear: byFeeder[1], square: byFeeder[2] / scale };
}

/** All that a load which never changes can tell. */
function constantLoss({ feederW, reportedW }: BalancedSlots): TechnicalLoss {
  const sum = feederW.reduce((all, watts, slot) => all + watts - (reportedW[slot] as number), 0);
  return { ...NO_LOSS, constant: sum / feederW.length };
}

/** Least squares; undefined where the values of x are too few to tell. */
function fitParabola(x: Float64Array, y: Float64Array): readonly [number, number, number] | undefined {
  const power = (exponent: number) => x.reduce((sum, value) => sum + value ** exponent, 0);
  const cross = (exponent: number) => x.reduce((sum, value, at) => sum + value ** exponent * (y[at] as number), 0);
  const [s0, s1, s2, s3, s4] = [x.length, power(1), power(2), power(3), power(4)];
  const [t0, t1, t2] = [cross(0), cross(1), cross(2)];
  const determinant = det3([s0, s1, s2], [s1, s2, s3], [s2, s3, s4]);
  if (Math.abs(determinant) < 1e-9 * s0 ** 3) return undefined;
  return [
    det3([t0, s1, s2], [t1, s2, s3], [t2, s3, s4]) / determinant,
    det3([s0, t0, s2], [s1, t1, s3], [s2, t2, s4]) / determinant,
    det3([s0, s1, t0], [s1, s2, t1], [s2, s3, t2]) / determinant,
  ];
}

type Three = readonly [number, number, number];

const det3 = ([a, b, c]: Three, [d, e, f]: Three, [g, h, i]: Three): number =>
  a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
