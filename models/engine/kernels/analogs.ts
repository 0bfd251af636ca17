/**
 * The moments of a meter's own past at which it stood as it does now, and what came next; ../../forecast/analogs.ts says what
 * the numbers mean. Every addition has its place in the order, as in encode.ts.
 */

/** Farther ones say nothing of now; a distance is in widths of likeness. */
const FARTHEST: f32 = 3;
/** A meter at rest is alike all night: the newest so many moments say as much as all. */
const ENOUGH: i32 = 128;
/** In scales: what a meter did next counts as no more than that. */
const LARGEST_CHANGE: f32 = 64;
/** In scales: from there on a change is one, and a large one. */
const SMALL: f32 = 0.03;
const LARGE: f32 = 0.25;
/** So many fours go through the parts at a time; ANALOG_DESK in ../../forecast/analogs.ts is room for their places and vectors. */
const FOURS: i32 = 16;
const PLACES_BYTES: usize = 64;
const LIKE_FIVE_BYTES: usize = 48;

/**
 * `slots` numbers with the newest last, where what is missing is not finite; `nearness` says of each how much it counts by its
 * time of day. Twelve numbers: for the two newest slots, weighed by the time of day, and for the five newest, not weighed, the
 * mean of what came next, how much was found, and the shares of it that went down far, down, up and up far; newest moments first, until
 * there are enough. `desk` is room for what one part hands to the next.
 *
 * Whether a moment is alike no processor can guess, and each wrong guess costs it as much as the arithmetic of two moments. So a
 * part writes down all that it looks at, one over the other, and moves on behind those that the next part is to see.
 */
export function analogs(watts: usize, slots: i32, nearness: usize, scale: f64, desk: usize, to: usize): void {
  const newest = watts + ((<usize>(slots - 1)) << 2);
  const x0 = f32x4.splat(levelOf(newest));
  const x1 = f32x4.splat(levelOf(newest - 4));
  const x2 = f32x4.splat(levelOf(newest - 8));
  const x3 = f32x4.splat(levelOf(newest - 12));
  const x4 = f32x4.splat(levelOf(newest - 16));
  // Where the newest slot is missing nothing is like it.
  const near0 = f32x4.splat(isFinite<f32>(load<f32>(newest)) ? perWatt(newest, scale, 0.07, 0.1) : NaN);
  const near1 = f32x4.splat(perWatt(newest - 4, scale, 0.13, 0.15));
  const near2 = f32x4.splat(perWatt(newest - 8, scale, 0.2, 0.2));
  const near3 = f32x4.splat(perWatt(newest - 12, scale, 0.3, 0.3));
  const near4 = f32x4.splat(perWatt(newest - 16, scale, 0.4, 0.4));
  const perScale = f32x4.splat(<f32>(1 / scale));
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  const farthest = f32x4.splat(FARTHEST);
  const most = f32x4.splat(LARGEST_CHANGE);
  const least = f32x4.splat(-LARGEST_CHANGE);
  const up = f32x4.splat(SMALL);
  const down = f32x4.splat(-SMALL);
  const farUp = f32x4.splat(LARGE);
  const farDown = f32x4.splat(-LARGE);
  let found2 = zero;
  let change2 = zero;
  let farDown2 = zero;
  let down2 = zero;
  let up2 = zero;
  let farUp2 = zero;
  let found5 = zero;
  let change5 = zero;
  let farDown5 = zero;
  let down5 = zero;
  let up5 = zero;
  let farUp5 = zero;
  let moments = 0;
  // Four at a time back from the slot before the newest, which is the last that something came after.
  let at = newest - 16;
  const first = watts + ((<usize>(4 + ((slots - 5) & 3))) << 2);
  const weights = nearness + ((<usize>(slots - 5)) << 2) - at;
  const places = desk;
  const likeFive = desk + PLACES_BYTES;
  while (at >= first && moments < ENOUGH) {
    let end = places;
    for (let four = 0; four < FOURS && at >= first; four++, at -= 16) {
      const before = f32x4.mul(f32x4.abs(f32x4.sub(v128.load(at - 4), x1)), near1);
      const far = f32x4.add(f32x4.mul(f32x4.abs(f32x4.sub(v128.load(at), x0)), near0), before);
      store<usize>(end, at);
      end += (<usize>v128.any_true(f32x4.le(far, farthest))) << 2;
    }
    let endOfFive = likeFive;
    for (let place = places; place < end && moments < ENOUGH; place += 4) {
      const from = load<usize>(place);
      const now = v128.load(from);
      const before = f32x4.mul(f32x4.abs(f32x4.sub(v128.load(from - 4), x1)), near1);
      const far2 = f32x4.add(f32x4.mul(f32x4.abs(f32x4.sub(now, x0)), near0), before);
      const change = f32x4.sub(v128.load(from, 4), now);
      const isKnown = f32x4.eq(f32x4.sub(change, change), zero);
      const like2 = v128.and(f32x4.le(far2, farthest), isKnown);
      moments += popcnt<i32>(i32x4.bitmask(like2));
      // What is not alike has no weight, but its change may be no number.
      const inScales = f32x4.mul(v128.and(change, isKnown), perScale);
      const next = f32x4.pmax(least, f32x4.pmin(most, inScales));
      const weight2 = v128.and(f32x4.div(v128.load(weights + from), f32x4.add(one, f32x4.mul(far2, far2))), like2);
      found2 = f32x4.add(found2, weight2);
      change2 = f32x4.add(change2, f32x4.mul(weight2, next));
      farDown2 = f32x4.add(farDown2, v128.and(weight2, f32x4.lt(next, farDown)));
      down2 = f32x4.add(down2, v128.and(weight2, f32x4.lt(next, down)));
      up2 = f32x4.add(up2, v128.and(weight2, f32x4.gt(next, up)));
      farUp2 = f32x4.add(farUp2, v128.and(weight2, f32x4.gt(next, farUp)));
      const third = f32x4.mul(f32x4.abs(f32x4.sub(v128.load(from - 8), x2)), near2);
      const fourth = f32x4.mul(f32x4.abs(f32x4.sub(v128.load(from - 12), x3)), near3);
      const fifth = f32x4.mul(f32x4.abs(f32x4.sub(v128.load(from - 16), x4)), near4);
      const far5 = f32x4.add(f32x4.add(far2, third), f32x4.add(fourth, fifth));
      const like5 = v128.and(f32x4.le(far5, farthest), like2);
      v128.store(endOfFive, far5);
      v128.store(endOfFive, like5, 16);
      v128.store(endOfFive, next, 32);
      endOfFive += v128.any_true(like5) ? LIKE_FIVE_BYTES : 0;
    }
    for (let place = likeFive; place < endOfFive; place += LIKE_FIVE_BYTES) {
      const far5 = v128.load(place);
      const next = v128.load(place, 32);
      const weight5 = v128.and(f32x4.div(one, f32x4.add(one, f32x4.mul(far5, far5))), v128.load(place, 16));
      found5 = f32x4.add(found5, weight5);
      change5 = f32x4.add(change5, f32x4.mul(weight5, next));
      farDown5 = f32x4.add(farDown5, v128.and(weight5, f32x4.lt(next, farDown)));
      down5 = f32x4.add(down5, v128.and(weight5, f32x4.lt(next, down)));
      up5 = f32x4.add(up5, v128.and(weight5, f32x4.gt(next, up)));
      farUp5 = f32x4.add(farUp5, v128.and(weight5, f32x4.gt(next, farUp)));
    }
  }
  summarise(found2, change2, farDown2, down2, up2, farUp2, to);
  summarise(found5, change5, farDown5, down5, up5, farUp5, to + 24);
}

/** As means over one moment more than was found: of little, little is said. */
function summarise(found: v128, change: v128, farDown: v128, down: v128, up: v128, farUp: v128, to: usize): void {
  const weight = total(found);
  const share: f32 = 1 / (weight + 1);
  store<f32>(to, total(change) * share);
  store<f32>(to, weight * share, 4);
  store<f32>(to, total(farDown) * share, 8);
  store<f32>(to, total(down) * share, 12);
  store<f32>(to, total(up) * share, 16);
  store<f32>(to, total(farUp) * share, 20);
}

function total(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

function levelOf(at: usize): f32 {
  const value = load<f32>(at);
  return isFinite<f32>(value) ? value : 0;
}

/** One over the width of likeness, a share of the scale and one of the slot itself; a slot that is missing is like any other. */
function perWatt(at: usize, scale: f64, ofScale: f64, ofSlot: f64): f32 {
  const value = load<f32>(at);
  return isFinite<f32>(value) ? <f32>(1 / (ofScale * scale + ofSlot * abs(<f64>value))) : 0;
}

/**
 * How the load went on at this time of each of the days before, from the slot as long ago as the newest to the one after it, in
 * scales: first the middle one, then each from yesterday on, the middle one where it is not known; 0 where none is. `sorted` is
 * room for as many as there are days.
 */
export function usualMoves(
  watts: usize,
  slots: i32,
  perDay: i32,
  days: i32,
  scale: f64,
  sorted: usize,
  to: usize,
): void {
  const perScale = 1 / scale;
  let known = 0;
  let at = watts + ((<usize>(slots - 1)) << 2);
  for (let day = 1; day <= days; day++) {
    at -= (<usize>perDay) << 2;
    const move: f32 = at < watts ? <f32>NaN : inScales(load<f32>(at, 4) - load<f32>(at), perScale);
    store<f32>(to + ((<usize>day) << 2), move);
    if (!isFinite<f32>(move)) continue;
    let place = sorted + ((<usize>known) << 2);
    for (; place > sorted && load<f32>(place - 4) > move; place -= 4) store<f32>(place, load<f32>(place - 4));
    store<f32>(place, move);
    known += 1;
  }
  let middle: f32 = 0;
  if (known > 0) {
    const upper = load<f32>(sorted + ((<usize>(known >> 1)) << 2));
    middle = (load<f32>(sorted + ((<usize>((known - 1) >> 1)) << 2)) + upper) / 2;
  }
  store<f32>(to, middle);
  for (let day = 1; day <= days; day++) {
    const place = to + ((<usize>day) << 2);
    if (!isFinite<f32>(load<f32>(place))) store<f32>(place, middle);
  }
}

/** NaN where there is none. */
function inScales(watts: f32, perScale: f64): f32 {
  if (!isFinite<f32>(watts)) return NaN;
  return <f32>min(<f64>LARGEST_CHANGE, max(-(<f64>LARGEST_CHANGE), <f64>watts * perScale));
}
