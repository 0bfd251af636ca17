import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { createLayout } from '../engine/machine.js';

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

let desk: ReturnType<typeof createDesk> | undefined;

function createDesk() {
  const layout = createLayout();
  const at = { watts: layout.room(WINDOW_SLOTS), finite: layout.room(WINDOW_SLOTS), answer: layout.room(4 * 2) };
  const { kernels, floats, doubles } = layout.build();
  const watts = floats(at.watts, WINDOW_SLOTS);
  const answer = doubles(at.answer, 4);
  return (values: Float32Array): WindowScale => {
    watts.set(values);
    kernels.level(at.watts, values.length, at.finite, at.answer);
    const [centre = 0, deviation = 0, min = 0, present = 0] = answer;
    return { centre, scale: Math.max(deviation, Math.abs(centre) * SCALE_FLOOR_SHARE, SCALE_FLOOR_W), min, present };
  };
}
