/** Positions of a stream, in `seq` or `change_seq`: those beyond `after`, up to and with `upTo`. */
export interface Range {
  readonly after: number;
  readonly upTo: number;
}

/** In order; no two of them overlap or touch. */
export type Ranges = readonly Range[];

/** Each outage that begins before the one before it is caught up with leaves one more; a list is read and written whole. */
export const MAX_RANGES = 16;

export function addRange(ranges: Ranges, { after, upTo }: Range): Ranges {
  if (upTo <= after) return ranges;
  const before = ranges.filter((range) => range.upTo < after);
  const behind = ranges.filter((range) => range.after > upTo);
  const joined = ranges.slice(before.length, ranges.length - behind.length);
  const first = joined[0]?.after ?? after;
  const last = joined.at(-1)?.upTo ?? upTo;
  return [...before, { after: Math.min(after, first), upTo: Math.max(upTo, last) }, ...behind];
}

export const joinRanges = (one: Ranges, other: Ranges): Ranges => other.reduce(addRange, one);

/** What does not fit is forgotten, the shortest first; the beginning stays. Rows of a forgotten range are sent again. */
export function boundRanges(ranges: Ranges, max = MAX_RANGES): Ranges {
  if (ranges.length <= max) return ranges;
  const lengthOf = ({ after, upTo }: Range): number => (after === 0 ? Number.POSITIVE_INFINITY : upTo - after);
  const kept = new Set(ranges.toSorted((a, b) => lengthOf(b) - lengthOf(a)).slice(0, max));
  return ranges.filter((range) => kept.has(range));
}

/** The end of the range that has everything from the beginning. */
export function prefixOf([first]: Ranges): number {
  return first?.after === 0 ? first.upTo : 0;
}

export const endOf = (ranges: Ranges): number => ranges.at(-1)?.upTo ?? 0;

/** What is missing before the last of them. */
export function gapsOf(ranges: Ranges): Ranges {
  return ranges
    .map(({ after }, index) => ({ after: ranges[index - 1]?.upTo ?? 0, upTo: after }))
    .filter(({ after, upTo }) => upTo > after);
}
