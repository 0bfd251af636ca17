/**
 * What is remarkable about a reading that is usable all the same, each a bit of the stored row. A bit keeps its
 * meaning for ever: rows of years ago carry it. The first eight are the meter's own words, the rest are ours.
 */
export const FLAGS = {
  tamper: { bit: 0, about: 'The meter reports that it was tampered with.' },
  outage: { bit: 1, about: 'The meter reports a loss of power.' },
  fault: { bit: 2, about: 'The meter reports a fault of its own.' },
  reversed: { bit: 3, about: 'The meter reports a reversed phase or direction.' },
  meter_clock_off: {
    bit: 8,
    about: 'The clock of the meter is not set or runs ahead; the reading has the time at which it arrived.',
  },
  register_jitter: {
    bit: 9,
    about: 'The register stood back by no more than its resolution; the higher value before is stored.',
  },
  register_back: {
    bit: 10,
    about: 'The register stands below an earlier value or above a later one; it is left out of the reading.',
  },
  register_step: {
    bit: 11,
    about: 'The register moved further than the physical cap allows in that time; it is left out of the reading.',
  },
  register_reset: {
    bit: 12,
    about: 'The register begins anew at another value, which following readings have confirmed.',
  },
  register_rollover: { bit: 13, about: 'The register passed its largest value and began again at zero.' },
  register_summed: {
    bit: 14,
    about: 'The meter sends increments; the register is their sum as this gateway has stored them.',
  },
  unit_suspect: {
    bit: 15,
    about: 'Power and register lie apart by a factor near 60 or 1,000 over at least an hour: a unit is mistaken.',
  },
  after_suspect_zero: {
    bit: 16,
    about:
      'The reading before this one says 0 W between two real values within two seconds, and is probably false. It was stored before that could be known.',
  },
  time_estimated: {
    bit: 17,
    about:
      'The clock of the gateway was not set, and the machine was switched off before the time became known: the time lies between the readings before and after.',
  },
  estimated: {
    bit: 24,
    about:
      'Of a slot, never of a reading: its energy lies partly in a gap between two readings of the register. What the register counted in the gap is exact; when in the gap it flowed is not known.',
  },
} as const satisfies Record<string, { readonly bit: number; readonly about: string }>;

export type Flag = keyof typeof FLAGS;
/** Those that a meter says of itself. */
export const METER_FLAGS = ['tamper', 'outage', 'fault', 'reversed'] as const satisfies readonly Flag[];
export type MeterFlag = (typeof METER_FLAGS)[number];

export const FLAG_NAMES = Object.keys(FLAGS) as readonly Flag[];

export const flagBits = (flags: Iterable<Flag>): number => {
  let bits = 0;
  for (const flag of flags) bits |= 1 << FLAGS[flag].bit;
  return bits;
};

export const flagsOf = (bits: number): readonly Flag[] =>
  bits === 0 ? [] : FLAG_NAMES.filter((flag) => (bits & (1 << FLAGS[flag].bit)) !== 0);
