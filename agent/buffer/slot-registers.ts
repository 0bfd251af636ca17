import { insertPoint, pointAt, type RegisterPoints } from './register-points.js';
import { bytesOfVarints, readVarints } from './varint.js';

/**
 * The register readings of a slot in few bytes: for each of its readings 0 where it has none, else what the register
 * has moved since the one before. Nothing at all where no reading has one.
 */
export function packRegisters(times: readonly number[], points: Readonly<RegisterPoints>): Uint8Array {
  if (points.length === 0) return new Uint8Array(0);
  const values: number[] = [];
  let next = 0;
  let before = 0;
  for (const time of times) {
    const point = pointAt(points, next);
    if (point?.atMs !== time) {
      values.push(0);
      continue;
    }
    const step = point.dwh - before;
    const zigzag = step < 0 ? -2 * step - 1 : 2 * step;
    values.push(1 + 4 * zigzag + (point.anew ? 1 : 0) + (point.raised ? 2 : 0));
    before = point.dwh;
    next += 1;
  }
  return bytesOfVarints(values);
}

export function unpackRegisters(times: readonly number[], bytes: Uint8Array): RegisterPoints {
  const points: RegisterPoints = [];
  let before = 0;
  for (const [index, value] of readVarints(bytes).entries()) {
    const atMs = times[index];
    if (value === 0 || atMs === undefined) continue;
    const zigzag = Math.floor((value - 1) / 4);
    const bits = (value - 1) % 4;
    before += zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    insertPoint(points, { atMs, dwh: before, anew: (bits & 1) !== 0, raised: (bits & 2) !== 0 });
  }
  return points;
}
