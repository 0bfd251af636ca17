import type { EpochMs, MeterId } from '../domain/brand.js';

/**
 * What was last said of each meter; the next forecast takes its place. In columns: an object and an array for each
 * meter would take four times as much.
 */
export interface LatestMedians {
  /** For how many slots a forecast speaks of one alone. */
  readonly slots: number;
  /** Makes room for the forecast of this meter from `issuedSlotMs` on. */
  issue(meter: MeterId, issuedSlotMs: EpochMs): Issue;
  /** The median that was given for this slot; undefined where none was. */
  at(meter: MeterId, slotStartMs: EpochMs): number | undefined;
}

export interface Issue {
  /** Of `slots` slots, from `from` on, to be written over. */
  readonly mediansW: Float32Array;
  readonly from: number;
  /** Whether the hours of the next day are to be kept with it. */
  readonly withOutlook: boolean;
}

/** The hours of the next day are kept once an hour: they change little, and are most of a forecast's bytes. */
const OUTLOOK_EVERY_MS = 3_600_000;
const FIRST_PLACES = 64;
/** Twice as much each time would leave half of it empty. */
const GROWTH = 1.25;

export function createLatestMedians(slots: number, slotMs: number): LatestMedians {
  const places = new Map<MeterId, number>();
  let issuedMs = new Float64Array(FIRST_PLACES);
  /** When the hours of the next day were last kept. */
  let outlookMs = new Float64Array(FIRST_PLACES);
  let mediansW = new Float32Array(FIRST_PLACES * slots);

  function placeOf(meter: MeterId): number {
    const known = places.get(meter);
    if (known !== undefined) return known;
    const place = places.size;
    places.set(meter, place);
    if (place === issuedMs.length) {
      const more = Math.ceil(place * GROWTH);
      issuedMs = copied(issuedMs, new Float64Array(more));
      outlookMs = copied(outlookMs, new Float64Array(more));
      mediansW = copied(mediansW, new Float32Array(more * slots));
    }
    outlookMs[place] = Number.NEGATIVE_INFINITY;
    return place;
  }

  return {
    slots,
    issue(meter, issuedSlotMs) {
      const place = placeOf(meter);
      issuedMs[place] = issuedSlotMs;
      const sinceMs = issuedSlotMs - (outlookMs[place] as number);
      // One that is made again takes the place of the one before, and of its hours.
      const withOutlook = sinceMs <= 0 || sinceMs >= OUTLOOK_EVERY_MS;
      if (withOutlook) outlookMs[place] = issuedSlotMs;
      return { mediansW, from: place * slots, withOutlook };
    },
    at(meter, slotStartMs) {
      const place = places.get(meter);
      if (place === undefined) return undefined;
      const ahead = (slotStartMs - (issuedMs[place] as number)) / slotMs;
      if (!(ahead >= 0 && ahead < slots)) return undefined;
      const medianW = mediansW[place * slots + ahead];
      return medianW === undefined || Number.isNaN(medianW) ? undefined : medianW;
    },
  };
}

function copied<Column extends Float32Array | Float64Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
