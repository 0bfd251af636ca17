/** The arithmetic of the network, four numbers at a time; ../engine.ts says what is computed from what. */

/** So many numbers of each row to another place. */
export function copyRows(from: usize, fromStride: usize, to: usize, toStride: usize, count: i32, rows: i32): void {
  const bytes = (<usize>count) << 2;
  const fours = bytes & ~15;
  for (let row = 0; row < rows; row++) {
    let at: usize = 0;
    for (; at < fours; at += 16) v128.store(to + at, v128.load(from + at));
    for (; at < bytes; at += 4) store<f32>(to + at, load<f32>(from + at));
    from += fromStride;
    to += toStride;
  }
}

/** x / (1 + |x| / limit); `count` is a multiple of four. */
export function compress(from: usize, to: usize, count: i32, limit: f32): void {
  const share = f32x4.splat(1 / limit);
  const one = f32x4.splat(1);
  const end = from + ((<usize>count) << 2);
  while (from < end) {
    const x = v128.load(from);
    v128.store(to, f32x4.div(x, f32x4.add(one, f32x4.mul(f32x4.abs(x), share))));
    from += 16;
    to += 16;
  }
}

/** The mean of each run of twelve numbers. */
export function meansOfTwelve(from: usize, fromStride: usize, to: usize, toStride: usize, runs: i32, rows: i32): void {
  for (let row = 0; row < rows; row++) {
    let x = from;
    for (let run = 0; run < runs; run++) {
      const sum = f32x4.add(f32x4.add(v128.load(x), v128.load(x, 16)), v128.load(x, 32));
      const total: f32 =
        f32x4.extract_lane(sum, 0) +
        f32x4.extract_lane(sum, 1) +
        (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3));
      store<f32>(to + ((<usize>run) << 2), total * <f32>(1.0 / 12.0));
      x += 48;
    }
    from += fromStride;
    to += toStride;
  }
}

/** Twelve numbers and one beside them as fourteen whole ones for the LSTM, the last of them 0; numbers times `unit`. */
export function patches(window: usize, measured: usize, to: usize, count: i32, unit: f32): void {
  const scale = f32x4.splat(unit);
  for (let patch = 0; patch < count; patch++) {
    const a = whole(f32x4.mul(v128.load(window), scale));
    const b = whole(f32x4.mul(v128.load(window, 16), scale));
    const c = whole(f32x4.mul(v128.load(window, 32), scale));
    const d = whole(f32x4.mul(v128.load32_zero(measured), scale));
    v128.store(to, i16x8.narrow_i32x4_s(a, b));
    const rest = i16x8.narrow_i32x4_s(c, d);
    v128.store64_lane(to, rest, 0, 16);
    v128.store32_lane(to, rest, 2, 24);
    window += 48;
    measured += 4;
    to += 28;
  }
}

/** y = x · w + bias, four rows at a time; w in blocks of four columns, each [inputs, 4], and y as wide as its blocks. */
export function dense(
  x: usize,
  xStride: usize,
  rows: i32,
  inputs: i32,
  w: usize,
  bias: usize,
  blocks: i32,
  y: usize,
  yStride: usize,
): void {
  const blockBytes = (<usize>inputs) << 4;
  const bytes = (<usize>inputs) << 2;
  for (let row = 0; row < rows; row += 4) {
    const x1 = x + xStride;
    const x2 = x1 + xStride;
    const x3 = x2 + xStride;
    const y1 = y + yStride;
    const y2 = y1 + yStride;
    const y3 = y2 + yStride;
    let left = w;
    let column: usize = 0;
    let block = 0;
    for (; block + 1 < blocks; block += 2) {
      const biasA = v128.load(bias + column);
      const biasB = v128.load(bias + column, 16);
      let a0 = biasA;
      let a1 = biasA;
      let a2 = biasA;
      let a3 = biasA;
      let b0 = biasB;
      let b1 = biasB;
      let b2 = biasB;
      let b3 = biasB;
      const right = left + blockBytes;
      for (let at: usize = 0; at < bytes; at += 4) {
        const a = v128.load(left + (at << 2));
        const b = v128.load(right + (at << 2));
        let one = v128.load32_splat(x + at);
        a0 = f32x4.add(a0, f32x4.mul(one, a));
        b0 = f32x4.add(b0, f32x4.mul(one, b));
        one = v128.load32_splat(x1 + at);
        a1 = f32x4.add(a1, f32x4.mul(one, a));
        b1 = f32x4.add(b1, f32x4.mul(one, b));
        one = v128.load32_splat(x2 + at);
        a2 = f32x4.add(a2, f32x4.mul(one, a));
        b2 = f32x4.add(b2, f32x4.mul(one, b));
        one = v128.load32_splat(x3 + at);
        a3 = f32x4.add(a3, f32x4.mul(one, a));
        b3 = f32x4.add(b3, f32x4.mul(one, b));
      }
      v128.store(y + column, a0);
      v128.store(y + column, b0, 16);
      v128.store(y1 + column, a1);
      v128.store(y1 + column, b1, 16);
      v128.store(y2 + column, a2);
      v128.store(y2 + column, b2, 16);
      v128.store(y3 + column, a3);
      v128.store(y3 + column, b3, 16);
      column += 32;
      left = right + blockBytes;
    }
    if (block < blocks) {
      const biasA = v128.load(bias + column);
      let a0 = biasA;
      let a1 = biasA;
      let a2 = biasA;
      let a3 = biasA;
      for (let at: usize = 0; at < bytes; at += 4) {
        const a = v128.load(left + (at << 2));
        a0 = f32x4.add(a0, f32x4.mul(v128.load32_splat(x + at), a));
        a1 = f32x4.add(a1, f32x4.mul(v128.load32_splat(x1 + at), a));
        a2 = f32x4.add(a2, f32x4.mul(v128.load32_splat(x2 + at), a));
        a3 = f32x4.add(a3, f32x4.mul(v128.load32_splat(x3 + at), a));
      }
      v128.store(y + column, a0);
      v128.store(y1 + column, a1);
      v128.store(y2 + column, a2);
      v128.store(y3 + column, a3);
    }
    x += xStride << 2;
    y += yStride << 2;
  }
}

/**
 * Runs an LSTM over x, rows of [steps, pairs × 2] in i16, from a state of zeros, two rows at a time. The state is kept as
 * x is, times `unit`, in one of two places: the last one stands in the first when the steps are even. w: for each four units
 * and each pair of inputs (of x, then of the state) the gates i, f, c, o as [4 units, 2]. `scales`: for each four units what
 * the sums of the gates are multiplied with, then what is added; those of the sigmoids halved.
 */
export function lstm(
  x: usize,
  xStride: usize,
  rows: i32,
  steps: i32,
  pairs: i32,
  units: i32,
  w: usize,
  scales: usize,
  cells: usize,
  states: usize,
  sums: usize,
  unit: f32,
): void {
  const stateBytes = (<usize>units) << 1;
  const cellBytes = (<usize>units) << 2;
  const sumBytes = (<usize>units) << 4;
  const xBytes = (<usize>pairs) << 2;
  const other = <usize>rows * stateBytes;
  const halfUnit = f32x4.splat(unit * 0.5);
  memory.fill(cells, 0, <usize>rows * cellBytes);
  for (let row = 0; row < rows; row += 2) {
    let now = x + <usize>row * xStride;
    let before = states + <usize>row * stateBytes;
    let after = before + other;
    for (let step = 0; step < steps; step++) {
      // The first state is nothing, whose products need not be made.
      const parts = step === 0 ? 1 : 2;
      const unused = step === 0 ? stateBytes << 4 : 0;
      let weights = w;
      let sum = sums;
      for (let four = 0; four < units; four += 4) {
        let i0 = i32x4.splat(0);
        let f0 = i0;
        let c0 = i0;
        let o0 = i0;
        let i1 = i0;
        let f1 = i0;
        let c1 = i0;
        let o1 = i0;
        let at = now;
        let end = now + xBytes;
        let stride = xStride;
        for (let part = 0; part < parts; part++) {
          while (at < end) {
            const a = v128.load32_splat(at);
            const b = v128.load32_splat(at + stride);
            let gate = v128.load(weights);
            i0 = i32x4.add(i0, i32x4.dot_i16x8_s(a, gate));
            i1 = i32x4.add(i1, i32x4.dot_i16x8_s(b, gate));
            gate = v128.load(weights, 16);
            f0 = i32x4.add(f0, i32x4.dot_i16x8_s(a, gate));
            f1 = i32x4.add(f1, i32x4.dot_i16x8_s(b, gate));
            gate = v128.load(weights, 32);
            c0 = i32x4.add(c0, i32x4.dot_i16x8_s(a, gate));
            c1 = i32x4.add(c1, i32x4.dot_i16x8_s(b, gate));
            gate = v128.load(weights, 48);
            o0 = i32x4.add(o0, i32x4.dot_i16x8_s(a, gate));
            o1 = i32x4.add(o1, i32x4.dot_i16x8_s(b, gate));
            weights += 64;
            at += 4;
          }
          at = before;
          end = before + stateBytes;
          stride = stateBytes;
        }
        weights += unused;
        v128.store(sum, i0);
        v128.store(sum, f0, 16);
        v128.store(sum, c0, 32);
        v128.store(sum, o0, 48);
        v128.store(sum + sumBytes, i1);
        v128.store(sum + sumBytes, f1, 16);
        v128.store(sum + sumBytes, c1, 32);
        v128.store(sum + sumBytes, o1, 48);
        sum += 64;
      }
      let state = after;
      let cell = cells + <usize>row * cellBytes;
      sum = sums;
      for (let one = 0; one < 2; one++) {
        keepAndAdd(sum, scales, cell, units);
        tell(sum, scales, cell, state, units, halfUnit);
        sum += sumBytes;
        cell += cellBytes;
        state += stateBytes;
      }
      const spare = before;
      before = after;
      after = spare;
      now += xBytes;
    }
  }
}

// Two short loops in place of one long one: a processor looks ahead some hundred instructions, and so finds other units to
// work on while one waits for its quotient.

/** cell = σ(f) cell + σ(i) tanh(c) */
function keepAndAdd(sum: usize, scale: usize, cell: usize, units: i32): void {
  for (let four = 0; four < units; four += 4) {
    // σ(2x) = (Q + xP) / 2Q and tanh(x) = xP / Q: brought onto one denominator, a division less for each.
    const i = bounded(scaled(sum, scale));
    let square = f32x4.mul(i, i);
    const underI = under(square);
    const overI = f32x4.add(underI, over(i, square));
    const f = bounded(scaled(sum + 16, scale + 16));
    square = f32x4.mul(f, f);
    const underF = under(square);
    const overF = f32x4.add(underF, over(f, square));
    const c = bounded(scaled(sum + 32, scale + 32));
    square = f32x4.mul(c, c);
    const underIc = f32x4.mul(underI, under(square));
    const kept = f32x4.mul(f32x4.mul(overF, v128.load(cell)), underIc);
    const added = f32x4.mul(f32x4.mul(overI, over(c, square)), underF);
    const ratio = f32x4.div(f32x4.add(kept, added), f32x4.mul(underF, underIc));
    v128.store(cell, f32x4.mul(f32x4.splat(0.5), ratio));
    sum += 64;
    scale += 128;
    cell += 16;
  }
}

/** state = σ(o) tanh(cell), times 2 `halfUnit` and whole. */
function tell(sum: usize, scale: usize, cell: usize, state: usize, units: i32, halfUnit: v128): void {
  for (let four = 0; four < units; four += 4) {
    const t = bounded(v128.load(cell));
    let square = f32x4.mul(t, t);
    const underT = under(square);
    const overT = over(t, square);
    const o = bounded(scaled(sum + 48, scale + 48));
    square = f32x4.mul(o, o);
    const underO = under(square);
    const overO = f32x4.add(underO, over(o, square));
    const product = f32x4.mul(f32x4.mul(overO, overT), halfUnit);
    const stored = whole(f32x4.div(product, f32x4.mul(underO, underT)));
    v128.store64_lane(state, i16x8.narrow_i32x4_s(stored, stored), 0);
    sum += 64;
    scale += 128;
    cell += 16;
    state += 8;
  }
}

/** Whole numbers as numbers again, times `unit`; `count` of each row, a multiple of four. */
export function widen(from: usize, to: usize, toStride: usize, count: i32, rows: i32, unit: f32): void {
  const scale = f32x4.splat(unit);
  for (let row = 0; row < rows; row++) {
    for (let at: usize = 0; at < (<usize>count) << 2; at += 16) {
      v128.store(to + at, f32x4.mul(f32x4.convert_i32x4_s(v128.load16x4_s(from)), scale));
      from += 8;
    }
    to += toStride;
  }
}

/** x σ(x) in place; `count` of each row, a multiple of four. */
export function silu(x: usize, stride: usize, count: i32, rows: i32): void {
  for (let row = 0; row < rows; row++) {
    for (let at: usize = 0; at < (<usize>count) << 2; at += 16) v128.store(x + at, siluOf(v128.load(x + at)));
    x += stride;
  }
}

/**
 * y += Σ seasons × trust + Σ over the blends of mixed × silu(compressed seasons and spread · blend + hidden + bias), step
 * by step. Of each row: four seasons and the spread of `width` bytes, as they are and compressed, and a number for each
 * blend from the hidden layer. `weights`: five numbers for each blend; `bias`: [blends, steps].
 */
export function blend(
  seasons: usize,
  trust: usize,
  compressed: usize,
  width: usize,
  hidden: usize,
  hiddenStride: usize,
  weights: usize,
  bias: usize,
  mixed: usize,
  blends: i32,
  y: usize,
  yStride: usize,
  rows: i32,
): void {
  for (let row = 0; row < rows; row++) {
    for (let at: usize = 0; at < width; at += 16) {
      let sum = v128.load(y + at);
      for (let season: usize = 0; season < width << 2; season += width) {
        sum = f32x4.add(sum, f32x4.mul(v128.load(seasons + season + at), v128.load(trust + season + at)));
      }
      const a = v128.load(compressed + at);
      const b = v128.load(compressed + width + at);
      const c = v128.load(compressed + width * 2 + at);
      const d = v128.load(compressed + width * 3 + at);
      const e = v128.load(compressed + width * 4 + at);
      let own = weights;
      let moved = bias + at;
      for (let one: usize = 0; one < (<usize>blends) << 2; one += 4) {
        let x = f32x4.add(v128.load(moved), v128.load32_splat(hidden + one));
        x = f32x4.add(x, f32x4.mul(a, v128.load32_splat(own)));
        x = f32x4.add(x, f32x4.mul(b, v128.load32_splat(own, 4)));
        x = f32x4.add(x, f32x4.mul(c, v128.load32_splat(own, 8)));
        x = f32x4.add(x, f32x4.mul(d, v128.load32_splat(own, 12)));
        x = f32x4.add(x, f32x4.mul(e, v128.load32_splat(own, 16)));
        sum = f32x4.add(sum, f32x4.mul(siluOf(x), v128.load32_splat(mixed + one)));
        own += 20;
        moved += width;
      }
      v128.store(y + at, sum);
    }
    seasons += width * 5;
    compressed += width * 5;
    hidden += hiddenStride;
    y += yStride;
  }
}

/** The median and from it outwards: softplus of `half` increments downwards, then of as many upwards. All of them `width` bytes. */
export function fan(
  median: usize,
  increments: usize,
  half: i32,
  width: usize,
  to: usize,
  rows: i32,
  largest: f32,
): void {
  const side = <usize>half * width;
  const most = f32x4.splat(largest);
  for (let row = 0; row < rows; row++) {
    for (let at: usize = 0; at < width; at += 16) {
      const middle = v128.load(median + at);
      v128.store(to + side + at, middle);
      let below = middle;
      let above = middle;
      for (let out: usize = width; out <= side; out += width) {
        const from = increments + out - width + at;
        below = f32x4.sub(below, inline.always(softplus(v128.load(from), most)));
        above = f32x4.add(above, inline.always(softplus(v128.load(from + side), most)));
        v128.store(to + side - out + at, below);
        v128.store(to + side + out + at, above);
      }
    }
    median += width;
    increments += side << 1;
    to += (side << 1) + width;
  }
}

// tanh(x) = x P(x²) / Q(x²) for up to six, and 1 beyond, within 0.00002: least squares, weighed until the errors were even.
const P0: f32 = 0.9999711563972697;
const P1: f32 = 0.1144727680565245;
const P2: f32 = 0.0014955564114652146;
const Q1: f32 = 0.4477141403008138;
const Q2: f32 = 0.017487422344729373;
const Q3: f32 = 0.00005518621205038987;

// 2^x for up to one, and log(1 + x), in the same way: within two ten-millionths.
const E1: f32 = 0.6931524714874101;
const E2: f32 = 0.24015280740289693;
const E3: f32 = 0.05583592751713537;
const E4: f32 = 0.008973377790079104;
const E5: f32 = 0.001885297808961392;
const L1: f32 = 0.9999811382557655;
const L2: f32 = -0.49947178509903545;
const L3: f32 = 0.3282422044157678;
const L4: f32 = -0.22589800934422366;
const L5: f32 = 0.1346745203876677;
const L6: f32 = -0.055145183376096;
const L7: f32 = 0.010764507882932373;

function bounded(x: v128): v128 {
  return f32x4.pmax(f32x4.splat(-6), f32x4.pmin(f32x4.splat(6), x));
}

function over(x: v128, square: v128): v128 {
  const second = f32x4.add(f32x4.mul(f32x4.splat(P2), square), f32x4.splat(P1));
  return f32x4.mul(f32x4.add(f32x4.mul(second, square), f32x4.splat(P0)), x);
}

function under(square: v128): v128 {
  const third = f32x4.add(f32x4.mul(f32x4.splat(Q3), square), f32x4.splat(Q2));
  const second = f32x4.add(f32x4.mul(third, square), f32x4.splat(Q1));
  return f32x4.add(f32x4.mul(second, square), f32x4.splat(1));
}

function scaled(sum: usize, scale: usize): v128 {
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(v128.load(sum)), v128.load(scale)), v128.load(scale, 64));
}

/** Rounded to even, for |x| < 2^22: added to 1.5 · 2^23 a number leaves its digits where a whole number has them. */
function whole(x: v128): v128 {
  const large: f32 = 12_582_912;
  return i32x4.sub(f32x4.add(x, f32x4.splat(large)), i32x4.splat(reinterpret<i32>(large)));
}

function siluOf(x: v128): v128 {
  const half = f32x4.mul(x, f32x4.splat(0.5));
  const limited = bounded(half);
  const square = f32x4.mul(limited, limited);
  const q = under(square);
  return f32x4.div(f32x4.mul(half, f32x4.add(q, over(limited, square))), q);
}

/** log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), no more than `most`. */
function softplus(x: v128, most: v128): v128 {
  x = f32x4.pmin(most, x);
  const tail = logOfOneAnd(exponentialOf(f32x4.neg(f32x4.abs(x))));
  return f32x4.add(f32x4.pmax(f32x4.splat(0), x), tail);
}

/** e^x for -87 < x ≤ 0; what is less counts as -87. */
function exponentialOf(x: v128): v128 {
  const bits = f32x4.mul(f32x4.pmax(f32x4.splat(-87), x), f32x4.splat(<f32>Math.LOG2E));
  const exponent = f32x4.floor(bits);
  const rest = f32x4.sub(bits, exponent);
  let power = f32x4.add(f32x4.mul(f32x4.splat(E5), rest), f32x4.splat(E4));
  power = f32x4.add(f32x4.mul(power, rest), f32x4.splat(E3));
  power = f32x4.add(f32x4.mul(power, rest), f32x4.splat(E2));
  power = f32x4.add(f32x4.mul(power, rest), f32x4.splat(E1));
  power = f32x4.add(f32x4.mul(power, rest), f32x4.splat(1));
  const scale = i32x4.shl(i32x4.add(whole(exponent), i32x4.splat(127)), 23);
  return f32x4.mul(power, scale);
}

function logOfOneAnd(x: v128): v128 {
  let sum = f32x4.add(f32x4.mul(f32x4.splat(L7), x), f32x4.splat(L6));
  sum = f32x4.add(f32x4.mul(sum, x), f32x4.splat(L5));
  sum = f32x4.add(f32x4.mul(sum, x), f32x4.splat(L4));
  sum = f32x4.add(f32x4.mul(sum, x), f32x4.splat(L3));
  sum = f32x4.add(f32x4.mul(sum, x), f32x4.splat(L2));
  sum = f32x4.add(f32x4.mul(sum, x), f32x4.splat(L1));
  return f32x4.mul(sum, x);
}
