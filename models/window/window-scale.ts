import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { createLayout, DOUBLE_BYTES, FLOAT_BYTES } from '../engine/machine.js';

/** An empty flat must not blow up: its noise of a few watts counts as that, not as a pattern. */
const SCALE_FLOOR_W = 10;
/** Nor must a steady load, where the last digit is all that moves. */
const SCALE_FLOOR_SHARE = 0.02;

/** What a window is freed of: its level and its scale in watts; and what it is made of. */
export interface WindowScale {
  readonly centre: number;
  readonly scale: number;
  readonly min: number;
  /** Of how many finite values. */
  readonly present: number;
}

/**
 * Of a window's slots, or of fewer: mean and mean absolute deviation. One spike in a day moves either by a few watts, and
 * both come from two passes without sorting.
 */
export function centreAndScale(values: Float32Array): WindowScale {
  desk ??= createDesk();
  return desk(values);
}

/** What the kernels say of a window, numbers of eight bytes: mean, mean distance from it, the least, how many are finite. */
export const LEVEL_NUMBERS = 4;
/** Room for the finite slots of so many windows is what the kernels need, however many windows there are. */
export const LEVELS_AT_A_TIME = 4;

export function levelAt(levels: Float64Array, at: number): WindowScale {
  const centre = levels[at] as number;
  const scale = Math.max(levels[at + 1] as number, Math.abs(centre) * SCALE_FLOOR_SHARE, SCALE_FLOOR_W);
  return { centre, scale, min: levels[at + 2] as number, present: levels[at + 3] as number };
}

let desk: ReturnType<typeof createDesk> | undefined;

function createDesk() {
  const layout = createLayout();
  const watts = layout.room(WINDOW_SLOTS);
  const at = {
    windows: layout.constant(Int32Array.of(watts)),
    finite: layout.room(LEVELS_AT_A_TIME * WINDOW_SLOTS),
    levels: layout.room((LEVEL_NUMBERS * DOUBLE_BYTES) / FLOAT_BYTES),
  };
  const { kernels, floats, doubles } = layout.build();
  const given = floats(watts, WINDOW_SLOTS);
  const levels = doubles(at.levels, LEVEL_NUMBERS);
  return (values: Float32Array): WindowScale => {
    given.set(values);
    kernels.levels(at.windows, 1, values.length, at.finite, at.levels);
    return levelAt(levels, 0);
  };
}
