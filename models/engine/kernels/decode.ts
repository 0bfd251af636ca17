/** From the network's answers to watts; ../../forecast/decode.ts says what is computed from what. */

/**
 * Of each row, answers [quantiles, steps] into watts [steps, quantiles]: the median, and from it outwards distances times
 * `factors` [steps, quantiles] that never shrink. `levels`: of each row its centre, its scale and its lowest watts. A median
 * that is not finite is 0, and no distance is NaN. After the answers there is room for another number.
 */
export function decode(
  answers: usize,
  rows: i32,
  steps: i32,
  quantiles: i32,
  factors: usize,
  levels: usize,
  largest: f64,
  to: usize,
): void {
  const line = (<usize>steps) << 2;
  const column = (<usize>quantiles) << 2;
  const middle = (<usize>(quantiles / 2)) << 2;
  const zero = f64x2.splat(0);
  const most = f64x2.splat(largest);
  for (let row = 0; row < rows; row++) {
    const centre = v128.load64_splat(levels);
    const scale = v128.load64_splat(levels, 8);
    const lowest = v128.load64_splat(levels, 16);
    let factor = factors;
    // Two steps at a time; of an odd one the second is computed of what lies behind it, and left out.
    for (let step = 0; step < steps; step += 2) {
      const next = step + 1 < steps ? column : 0;
      const answer = f64x2.promote_low_f32x4(v128.load64_zero(answers + <usize>(quantiles / 2) * line));
      const median = v128.and(answer, f64x2.eq(f64x2.sub(answer, answer), zero));
      let distance = zero;
      let from = answers + <usize>(quantiles / 2) * line;
      for (let at = middle; at < column; at += 4, from += line) {
        distance = f64x2.pmax(distance, wanted(from, median, factor + at, next));
        const watts = within(f64x2.add(centre, f64x2.mul(scale, f64x2.add(median, distance))), lowest, most);
        v128.store32_lane(to + next + at, watts, 1);
        v128.store32_lane(to + at, watts, 0);
      }
      distance = zero;
      from = answers + <usize>(quantiles / 2) * line;
      for (let at = middle; at > 0; ) {
        at -= 4;
        from -= line;
        distance = f64x2.pmin(distance, wanted(from, median, factor + at, next));
        const watts = within(f64x2.add(centre, f64x2.mul(scale, f64x2.add(median, distance))), lowest, most);
        v128.store32_lane(to + next + at, watts, 1);
        v128.store32_lane(to + at, watts, 0);
      }
      answers += 8;
      factor += 2 * column;
      to += column + next;
    }
    answers += <usize>quantiles * line - (((<usize>steps + 1) >> 1) << 3);
    levels += 24;
  }
}

function wanted(from: usize, median: v128, factor: usize, next: usize): v128 {
  const answer = f64x2.promote_low_f32x4(v128.load64_zero(from));
  const factors = f64x2.promote_low_f32x4(v128.load32_lane(factor + next, v128.load32_zero(factor), 1));
  return f64x2.mul(f64x2.sub(answer, median), factors);
}

function within(watts: v128, lowest: v128, most: v128): v128 {
  return f32x4.demote_f64x2_zero(f64x2.pmin(most, f64x2.pmax(lowest, watts)));
}
