/**
 * From watts to the inputs of the network; ../../forecast/features.ts says what is computed from what, and why. Another order
 * of its additions would give other last bits: a new FEATURE_VERSION, and bundles made again.
 */

/**
 * Of what is finite among `count` numbers: mean, mean distance from it, the least, and how many; all 0 where nothing is.
 * `finite` is room for as many.
 */
export function level(watts: usize, count: i32, finite: usize, to: usize): void {
  let total = sumByFours(watts, count);
  if (!isFinite(total)) {
    count = keepFinite(watts, count, finite);
    watts = finite;
    total = sumByFours(watts, count);
  }
  let centre: f64 = 0;
  let deviation: f64 = 0;
  let least: f32 = 0;
  if (count > 0) {
    centre = total / <f64>count;
    least = load<f32>(watts);
    for (const end = watts + ((<usize>count) << 2); watts < end; watts += 4) {
      const value = load<f32>(watts);
      deviation += abs(<f64>value - centre);
      least = min(least, value);
    }
    deviation /= <f64>count;
  }
  store<f64>(to, centre);
  store<f64>(to, deviation, 8);
  store<f64>(to, <f64>least, 16);
  store<f64>(to, <f64>count, 24);
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
