/**
 * What is remarkable about a reading that is usable all the same, each a bit of the stored row. A bit keeps its
 * meaning for ever: rows of years ago carry it. The first eight are the meter's own words, the rest are ours.
 */
export const FLAGS = {
  tamper: { bit: 0, about: 'The meter reports that it was tampered with.' },
  outage: { bit: 1, about: 'The meter reports a loss of power.' },
  fault: { bit: 2, about: 'The meter reports a fault of its own.' },
  reversed: { bit: 3, about: 'The meter reports a reversed phase or direction.' },
} as const satisfies Record<string, { readonly bit: number; readonly about: string }>;

export type Flag = keyof typeof FLAGS;
/** Those that a meter says of itself. */
export const METER_FLAGS = ['tamper', 'outage', 'fault', 'reversed'] as const satisfies readonly Flag[];
export type MeterFlag = (typeof METER_FLAGS)[number];

export const flagBits = (flags: Iterable<Flag>): number => {
  let bits = 0;
  for (const flag of flags) bits |= 1 << FLAGS[flag].bit;
  return bits;
};

export const flagsOf = (bits: number): readonly Flag[] =>
  (Object.keys(FLAGS) as Flag[]).filter((flag) => (bits & (1 << FLAGS[flag].bit)) !== 0);
