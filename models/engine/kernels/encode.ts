/**
 * From watts to the inputs of the network; ../../forecast/features.ts says what is computed from what, and why. Another order
 * of its additions would give other last bits: a new FEATURE_VERSION, and bundles made again.
 */

/**
 * Of what is finite among the `count` numbers of each window: mean, mean distance from it, the least, and how many; all 0 where
 * nothing is. `windows`: the place of each. `finite` is room for four of them.
 */
export function levels(windows: usize, rows: i32, count: i32, finite: usize, to: usize): void {
  const room = (<usize>count) << 2;
  let row = 0;
  // Distances are added one after the other: of four windows at once none waits for the one before.
  for (; row + 4 <= rows; row += 4) {
    const a = beginLevel(load<usize>(windows), count, finite, to);
    const b = beginLevel(load<usize>(windows, 4), count, finite + room, to + 32);
    const c = beginLevel(load<usize>(windows, 8), count, finite + 2 * room, to + 64);
    const d = beginLevel(load<usize>(windows, 12), count, finite + 3 * room, to + 96);
    const done = addDistances(a, b, c, d, to);
    endLevel(a, done, to);
    endLevel(b, done, to + 32);
    endLevel(c, done, to + 64);
    endLevel(d, done, to + 96);
    windows += 16;
    to += 128;
  }
  for (; row < rows; row++) {
    endLevel(beginLevel(load<usize>(windows), count, finite, to), 0, to);
    windows += 4;
    to += 32;
  }
}

/** All but the distances; returns where what is finite stands. */
function beginLevel(watts: usize, count: i32, finite: usize, to: usize): usize {
  let total = sumByFours(watts, count);
  if (!isFinite(total)) {
    count = keepFinite(watts, count, finite);
    watts = finite;
    total = sumByFours(watts, count);
  }
  store<f64>(to, count > 0 ? total / <f64>count : 0);
  store<f64>(to, 0, 8);
  store<f64>(to, <f64>leastOf(watts, count), 16);
  store<f64>(to, <f64>count, 24);
  return watts;
}

/** Of four levels, as far as all of them reach in fours; returns how far. */
function addDistances(a: usize, b: usize, c: usize, d: usize, levels: usize): i32 {
  const counts = min(
    min(load<f64>(levels, 24), load<f64>(levels, 56)),
    min(load<f64>(levels, 88), load<f64>(levels, 120)),
  );
  const common = <i32>counts & ~3;
  const centres = v128.load64_lane(levels + 32, v128.load64_zero(levels), 1);
  const centresOfOthers = v128.load64_lane(levels + 96, v128.load64_zero(levels + 64), 1);
  let sums = f64x2.splat(0);
  let sumsOfOthers = sums;
  for (const end = a + ((<usize>common) << 2); a < end; a += 16, b += 16, c += 16, d += 16) {
    sums = addFourDistances(sums, v128.load(a), v128.load(b), centres);
    sumsOfOthers = addFourDistances(sumsOfOthers, v128.load(c), v128.load(d), centresOfOthers);
  }
  v128.store64_lane(levels, sums, 0, 8);
  v128.store64_lane(levels, sums, 1, 40);
  v128.store64_lane(levels, sumsOfOthers, 0, 72);
  v128.store64_lane(levels, sumsOfOthers, 1, 104);
  return common;
}

/** Of two windows side by side. */
function addFourDistances(sums: v128, left: v128, right: v128, centres: v128): v128 {
  const low = i32x4.shuffle(left, right, 0, 4, 1, 5);
  const high = i32x4.shuffle(left, right, 2, 6, 3, 7);
  sums = f64x2.add(sums, distance(low, centres));
  sums = f64x2.add(sums, distance(upperHalf(low), centres));
  sums = f64x2.add(sums, distance(high, centres));
  return f64x2.add(sums, distance(upperHalf(high), centres));
}

function distance(watts: v128, centres: v128): v128 {
  return f64x2.abs(f64x2.sub(f64x2.promote_low_f32x4(watts), centres));
}

/** Adds the distances that are left, and divides. */
function endLevel(watts: usize, done: i32, to: usize): void {
  const count = <i32>load<f64>(to, 24);
  const centre = load<f64>(to);
  let sum = load<f64>(to, 8);
  for (let slot = done; slot < count; slot++) sum += abs(<f64>load<f32>(watts + ((<usize>slot) << 2)) - centre);
  store<f64>(to, count > 0 ? sum / <f64>count : 0, 8);
}

/** 0 of nothing. */
function leastOf(at: usize, count: i32): f32 {
  if (count < 4) {
    let least: f32 = count > 0 ? load<f32>(at) : 0;
    for (let slot = 1; slot < count; slot++) least = min(least, load<f32>(at + ((<usize>slot) << 2)));
    return least;
  }
  let least = v128.load(at);
  // The last four overlap with those before, where they are no whole four.
  const last = at + ((<usize>(count - 4)) << 2);
  for (at += 16; at < last; at += 16) least = f32x4.pmin(least, v128.load(at));
  least = f32x4.pmin(least, v128.load(last));
  const even = min(f32x4.extract_lane(least, 0), f32x4.extract_lane(least, 2));
  return min(even, min(f32x4.extract_lane(least, 1), f32x4.extract_lane(least, 3)));
}

/** Four sums, since each addition waits for the one before it. */
function sumByFours(at: usize, count: i32): f64 {
  const end = at + ((<usize>count) << 2);
  let first = f64x2.splat(0);
  let second = f64x2.splat(0);
  for (; at + 16 <= end; at += 16) {
    const four = v128.load(at);
    first = f64x2.add(first, f64x2.promote_low_f32x4(four));
    second = f64x2.add(second, f64x2.promote_low_f32x4(upperHalf(four)));
  }
  let rest = f64x2.extract_lane(first, 0);
  for (; at < end; at += 4) rest += <f64>load<f32>(at);
  return rest + f64x2.extract_lane(first, 1) + (f64x2.extract_lane(second, 0) + f64x2.extract_lane(second, 1));
}

/** Side by side; returns how many. */
function keepFinite(at: usize, count: i32, to: usize): i32 {
  const end = at + ((<usize>count) << 2);
  const first = to;
  for (; at < end; at += 4) {
    const value = load<f32>(at);
    store<f32>(to, value);
    to += (<usize>isFinite<f32>(value)) << 2;
  }
  return <i32>((to - first) >> 2);
}

/** (watts - centre) × perWatt; `count` is a multiple of four. */
export function normalise(watts: usize, to: usize, count: i32, centre: f64, perWatt: f64): void {
  const centres = f64x2.splat(centre);
  const scales = f64x2.splat(perWatt);
  const end = watts + ((<usize>count) << 2);
  while (watts < end) {
    const four = v128.load(watts);
    const first = f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(four), centres), scales);
    const second = f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(upperHalf(four)), centres), scales);
    v128.store(to, joined(f32x4.demote_f64x2_zero(first), f32x4.demote_f64x2_zero(second)));
    watts += 16;
    to += 16;
  }
}

/**
 * What is not finite becomes 0, or a straight line between its neighbours where no more than `longest` are missing; `shares`
 * of each run of `patch` slots say how much of it was finite.
 */
export function fillGaps(window: usize, slots: i32, shares: usize, patch: i32, longest: i32): void {
  let last = -1;
  for (let first = 0; first < slots; first += patch) {
    let present = patch;
    if (last === first - 1 && allFinite(window + ((<usize>first) << 2), patch)) {
      last += patch;
    } else {
      for (let slot = first; slot < first + patch; slot++) {
        const at = window + ((<usize>slot) << 2);
        if (isFinite<f32>(load<f32>(at))) {
          if (last !== slot - 1) fillGap(window, slots, last, slot, longest);
          last = slot;
        } else {
          store<f32>(at, 0);
          present -= 1;
        }
      }
    }
    store<f32>(shares, present === patch ? 1 : <f32>(<f64>present / <f64>patch));
    shares += 4;
  }
  if (last !== slots - 1) fillGap(window, slots, last, slots, longest);
}

/** `count` is a multiple of four. */
function allFinite(at: usize, count: i32): bool {
  const end = at + ((<usize>count) << 2);
  let none = f32x4.splat(0);
  // Times 0 it is 0, or not a number.
  for (; at < end; at += 16) none = f32x4.add(none, f32x4.mul(v128.load(at), f32x4.splat(0)));
  return i32x4.all_true(f32x4.eq(none, f32x4.splat(0)));
}

/** Fills what lies between two finite slots; -1 and `slots` stand for the window's ends. */
function fillGap(window: usize, slots: i32, before: i32, after: i32, longest: i32): void {
  const missing = after - before - 1;
  if (missing > longest || (before < 0 && after === slots)) return;
  const right = <f64>load<f32>(window + ((<usize>(after === slots ? before : after)) << 2));
  const left = before < 0 ? right : <f64>load<f32>(window + ((<usize>before) << 2));
  for (let step = 1; step <= missing; step++) {
    const value = left + ((right - left) * <f64>step) / <f64>(missing + 1);
    store<f32>(window + ((<usize>(before + step)) << 2), <f32>value);
  }
}

/**
 * For each step, a span of the slots to come: the mean of the same slots in the last of the window's `days`, in all of them, a
 * week ago and in the profile, each as `steps` numbers, then the profile's spread, no more than `largest`. What is not known
 * is taken from what is. `spans`: of each step the offset and the slots; `week`: from the window's end on; the profile's day
 * begins `slotOfDay` slots before it. `known`: for what share of the steps week and profile are known.
 */
export function seasons(
  window: usize,
  slots: i32,
  perDay: i32,
  week: usize,
  median: usize,
  spread: usize,
  slotOfDay: i32,
  spans: usize,
  steps: i32,
  centre: f64,
  perWatt: f64,
  largest: f64,
  to: usize,
  spreads: usize,
  known: usize,
): void {
  const days = slots / perDay;
  const day = (<usize>perDay) << 2;
  const lastDay = window + ((<usize>(slots - perDay)) << 2);
  const line = (<usize>steps) << 2;
  // Divided once for all spans of the same length.
  let slotsBefore = 0;
  let share: f64 = 0;
  let shareOfDays: f64 = 0;
  let weeks = 0;
  let profiles = 0;
  for (let step = 0; step < steps; step++) {
    const offset = load<i32>(spans);
    const count = load<i32>(spans, 4);
    if (count !== slotsBefore) {
      slotsBefore = count;
      share = 1 / <f64>count;
      shareOfDays = share / <f64>days;
    }
    const from = (<usize>offset) << 2;
    let same = lastDay + from;
    const past = sums(same, week + from, count, f64x2.splat(0));
    const yesterday = f64x2.extract_lane(past, 0);
    let recent = yesterday;
    for (let before = 1; before < days; before++) {
      same -= day;
      recent += sum(same, count);
    }
    recent *= shareOfDays;
    const lastWeek = meanOf(f64x2.extract_lane(past, 1), share, week + from, count, week, 0);
    let ofDay = slotOfDay + offset;
    while (ofDay >= perDay) ofDay -= perDay;
    const first = min(count, perDay - ofDay);
    const begin = (<usize>ofDay) << 2;
    let profile = sums(median + begin, spread + begin, first, f64x2.splat(0));
    // Its day begins again at its end.
    if (first < count) profile = sums(median, spread, count - first, profile);
    const usual = meanOf(f64x2.extract_lane(profile, 0), share, median + begin, first, median, count - first);
    const width = meanOf(f64x2.extract_lane(profile, 1), share, spread + begin, first, spread, count - first);
    const knowsWeek = isFinite(lastWeek);
    const knowsProfile = isFinite(usual + width);
    weeks += i32(knowsWeek);
    profiles += i32(knowsProfile);
    store<f32>(to, <f32>(yesterday * share));
    store<f32>(to + line, <f32>recent);
    store<f32>(to + 2 * line, <f32>(knowsWeek ? (lastWeek - centre) * perWatt : yesterday * share));
    store<f32>(to + 3 * line, <f32>(knowsProfile ? (usual - centre) * perWatt : recent));
    store<f32>(spreads, <f32>(knowsProfile ? min(width * perWatt, largest) : 1));
    spans += 8;
    to += 4;
    spreads += 4;
  }
  store<f64>(known, <f64>weeks / <f64>steps);
  store<f64>(known, <f64>profiles / <f64>steps, 8);
}

function sum(at: usize, count: i32): f64 {
  let total: f64 = 0;
  for (const end = at + ((<usize>count) << 2); at < end; at += 4) total += <f64>load<f32>(at);
  return total;
}

/** Of two runs of numbers, side by side, each in its order. */
function sums(left: usize, right: usize, count: i32, totals: v128): v128 {
  const end = left + ((<usize>count) << 2);
  for (; left + 16 <= end; left += 16, right += 16) {
    const a = v128.load(left);
    const b = v128.load(right);
    const low = i32x4.shuffle(a, b, 0, 4, 1, 5);
    totals = f64x2.add(totals, f64x2.promote_low_f32x4(low));
    totals = f64x2.add(totals, f64x2.promote_low_f32x4(upperHalf(low)));
    const high = i32x4.shuffle(a, b, 2, 6, 3, 7);
    totals = f64x2.add(totals, f64x2.promote_low_f32x4(high));
    totals = f64x2.add(totals, f64x2.promote_low_f32x4(upperHalf(high)));
  }
  for (; left < end; left += 4, right += 4) {
    const both = v128.load32_lane(right, v128.load32_zero(left), 1);
    totals = f64x2.add(totals, f64x2.promote_low_f32x4(both));
  }
  return totals;
}

/** Of a run and what follows it elsewhere: what is missing makes their sum NaN, and only then is each number looked at. */
function meanOf(total: f64, share: f64, at: usize, count: i32, then: usize, more: i32): f64 {
  return isFinite(total) ? total * share : meanOfFinite(at, count, then, more);
}

function meanOfFinite(at: usize, count: i32, then: usize, more: i32): f64 {
  let total: f64 = 0;
  let known = 0;
  for (let index = 0; index < count + more; index++) {
    const value = load<f32>(index < count ? at + ((<usize>index) << 2) : then + ((<usize>(index - count)) << 2));
    if (!isFinite<f32>(value)) continue;
    total += <f64>value;
    known += 1;
  }
  return total / <f64>known;
}

function upperHalf(x: v128): v128 {
  return i64x2.shuffle(x, x, 1, 0);
}

function joined(low: v128, high: v128): v128 {
  return i64x2.shuffle(low, high, 0, 2);
}
