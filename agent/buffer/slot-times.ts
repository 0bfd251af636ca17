import { bytesOfVarints, readVarints } from './varint.js';

/**
 * The moments of a slot's readings, in milliseconds from its start: pairs of step and number of repetitions, each a
 * varint. A meter that keeps its interval needs five bytes, whatever the interval.
 */
export function packTimes(times: readonly number[]): Uint8Array {
  const values: number[] = [];
  let previous = 0;
  let step = -1;
  let repeats = 0;
  for (const time of times) {
    if (time - previous !== step) {
      if (repeats > 0) values.push(step, repeats);
      step = time - previous;
      repeats = 0;
    }
    repeats += 1;
    previous = time;
  }
  if (repeats > 0) values.push(step, repeats);
  return bytesOfVarints(values);
}

export function unpackTimes(bytes: Uint8Array): number[] {
  const values = readVarints(bytes);
  const times: number[] = [];
  let time = 0;
  for (let index = 0; index + 1 < values.length; index += 2) {
    const repeats = values[index + 1] ?? 0;
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      time += values[index] ?? 0;
      times.push(time);
    }
  }
  return times;
}
