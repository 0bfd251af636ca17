/**
 * The moments of a slot's readings, in milliseconds from its start: pairs of step and number of repetitions, each a
 * varint. A meter that keeps its interval needs five bytes, whatever the interval.
 */
export function packTimes(times: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  let previous = 0;
  let step = -1;
  let repeats = 0;
  const flush = () => {
    if (repeats > 0) bytes.push(...varint(step), ...varint(repeats));
  };
  for (const time of times) {
    if (time - previous !== step) {
      flush();
      step = time - previous;
      repeats = 0;
    }
    repeats += 1;
    previous = time;
  }
  flush();
  return Uint8Array.from(bytes);
}

export function unpackTimes(bytes: Uint8Array): number[] {
  const times: number[] = [];
  let time = 0;
  let step: number | undefined;
  let value = 0;
  let shift = 0;
  for (const byte of bytes) {
    value += (byte & 0x7f) * 2 ** shift;
    shift += 7;
    if (byte > 0x7f) continue;
    if (step === undefined) {
      step = value;
    } else {
      for (let repeat = 0; repeat < value; repeat += 1) {
        time += step;
        times.push(time);
      }
      step = undefined;
    }
    value = 0;
    shift = 0;
  }
  return times;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}
