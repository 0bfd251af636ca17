import { type ForecastRow, HIGH, type Horizon, LOW, MEDIAN, QUANTILES } from '../../models/forecast/horizons.js';
import { BAND_VALUES, createForecastPacker } from '../domain/forecast-packing.js';

/** Packs rows of the same horizons; undefined when a row has no finite values, or the horizons no place in time. */
export interface RowPacker {
  /** Room for so many rows, all in one piece of memory: a small one for each would cost more than packing. */
  allocate(rows: number): void;
  /** All that a row says. */
  whole(row: ForecastRow): Uint8Array | undefined;
  /** Without the hours of the next day; those of an earlier forecast stand for an hour. */
  near(row: ForecastRow): Uint8Array | undefined;
}

export function createRowPacker(horizons: readonly Horizon[]): RowPacker {
  let room = new Uint8Array(0);
  let used = 0;

  function packing(steps: readonly number[]) {
    const spans = steps.map((step) => horizons[step] as Horizon);
    const packer = createForecastPacker(spans.map(({ offset, slots }) => ({ offsetSlots: offset, slots })));
    const bands = new Float64Array(steps.length * BAND_VALUES);
    const places = Int32Array.from(steps, (step) => step * QUANTILES.length);
    const pack = ({ watts }: ForecastRow): Uint8Array | undefined => {
      for (let step = 0, to = 0; to < bands.length; step += 1, to += BAND_VALUES) {
        const from = places[step] as number;
        bands[to] = watts[from + LOW] as number;
        bands[to + 1] = watts[from + MEDIAN] as number;
        bands[to + 2] = watts[from + HIGH] as number;
      }
      if (packer?.pack(bands, room, used) !== true) return undefined;
      used += packer.bytes;
      return room.subarray(used - packer.bytes, used);
    };
    return { pack, bytes: packer?.bytes ?? 0 };
  }

  const all = [...horizons.keys()];
  const single = all.filter((step) => horizons[step]?.slots === 1);
  const whole = packing(all);
  // A model that knows no single slots has nothing else to say.
  const near = single.length === 0 ? whole : packing(single);
  return {
    allocate(rows) {
      room = new Uint8Array(rows * whole.bytes);
      used = 0;
    },
    whole: whole.pack,
    near: near.pack,
  };
}
