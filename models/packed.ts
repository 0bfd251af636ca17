import { z } from 'zod';

/** Numbers in steps of a 32,000th of the largest: enough for what is compared within a percent, at two bytes each. */
export interface Packed {
  readonly step: number;
  /** Little-endian 16-bit integers in base64. */
  readonly data: string;
}

const LARGEST = 32_000;
const MISSING = -32_768;
const MOST_CHARACTERS = 64 * 1_024;

export const packedSchema = z.strictObject({
  step: z.number().nonnegative(),
  data: z.string().max(MOST_CHARACTERS),
});

export function pack(values: Float32Array): Packed {
  const largest = values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
  const step = Number((largest / LARGEST).toPrecision(6));
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) {
    const steps = step === 0 ? 0 : Math.min(Math.max(Math.round(value / step), -LARGEST), LARGEST);
    bytes.writeInt16LE(Number.isNaN(value) ? MISSING : steps, index * 2);
  }
  return { step, data: bytes.toString('base64') };
}

export function unpack({ step, data }: Packed): Float32Array {
  const bytes = Buffer.from(data, 'base64');
  return Float32Array.from({ length: bytes.length >> 1 }, (_, index) => {
    const steps = bytes.readInt16LE(index * 2);
    return steps === MISSING ? Number.NaN : steps * step;
  });
}
