import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { ANALOGS } from '../forecast/analogs.js';
import { CONTEXT_SIZE, type Encoded, PATCH_SLOTS, PATCHES, SEASONS } from '../forecast/features.js';
import { QUANTILES } from '../forecast/horizons.js';
import {
  aroundYesterday,
  BLENDED,
  BLENDS,
  COMPRESSION,
  DAY_PARTS,
  DENSE_SIZE,
  dayPartMatrix,
  HIDDEN,
  INCREMENT_START,
  INCREMENTS,
  LARGEST_WIDTH,
  LINEAR_SIZE,
  LSTM_UNITS,
  NARROW,
  NEAR_STEPS,
  NEWEST_SLOTS,
  type Network,
  type NetworkWeights,
} from '../forecast/network.js';
import type { ForecastShape } from '../forecast/series-history.js';
import { transposed } from '../transposed.js';
import { createLayout, FLOAT_BYTES, type Kernels, type Layout, ROWS, type Rows } from './machine.js';
import { columnsFrom, createOperations, type Matrix } from './operations.js';
import { besides, blocks, GATES, joined, PATCH_PAIRS, packGates, UNIT, widened } from './packing.js';

/**
 * The network of ../forecast/network.ts, computed by the kernels. What a meter is answered depends, to the last bit, neither
 * on the meters beside it nor on the processor.
 */
export function createEngine(weights: NetworkWeights, shape: ForecastShape): Network {
  const steps = shape.horizons.length;
  /** The kernels take four steps at a time; a step too many costs less than doing without. */
  const width = Math.ceil(steps / 4) * 4;
  const layout = createLayout();
  const inputs = {
    window: layout.rows(WINDOW_SLOTS),
    measured: layout.rows(PATCHES),
    seasons: layout.rows(SEASONS * steps),
    spread: layout.rows(steps),
    analogs: layout.rows(ANALOGS),
    context: layout.rows(CONTEXT_SIZE),
  };
  const compressed = layout.rows(WINDOW_SLOTS);
  /** Seasons and spread of each step. */
  const own = layout.rows(BLENDED * width);
  const ownCompressed = layout.rows(BLENDED * width);
  const analogsCompressed = layout.rows(ANALOGS);
  const dense = layout.rows(DENSE_SIZE);
  /** What the median is made of, side by side, so that one product does for both: the linear path's inputs, the hidden layer. */
  const mix = layout.rows(LINEAR_SIZE + HIDDEN);
  const hidden = columnsFrom(mix, LINEAR_SIZE);
  const narrow = layout.rows(NARROW + BLENDS);
  const median = layout.rows(width);
  const increments = layout.rows(INCREMENTS * width);
  const quantiles = layout.rows(QUANTILES.length * width);
  const lstm = placeLstm(layout, weights);
  const blending = placeBlend(layout, weights, width);
  const matrices = placeMatrices(layout, weights, { shape, width });
  const { kernels, floats } = layout.build();
  const { copy, compress, multiply, silu, means } = createOperations(kernels);
  const placed = ({ at, size }: Rows): Float32Array => floats(at, ROWS * size);
  const room: Encoded = {
    rows: ROWS,
    window: placed(inputs.window),
    measured: placed(inputs.measured),
    seasons: placed(inputs.seasons),
    spread: placed(inputs.spread),
    analogs: placed(inputs.analogs),
    context: placed(inputs.context),
    centreW: new Float64Array(ROWS),
    scaleW: new Float64Array(ROWS),
    neverNegative: new Uint8Array(ROWS),
  };
  const given = Object.entries(inputs) as [keyof typeof inputs, Rows][];
  const answered = placed(quantiles);

  function compute(rows: number): void {
    for (let season = 0; season < SEASONS; season++) {
      copy(rows, columnsFrom(inputs.seasons, season * steps), columnsFrom(own, season * width), steps);
    }
    copy(rows, inputs.spread, columnsFrom(own, SEASONS * width), steps);
    compress(rows, own, ownCompressed, COMPRESSION);
    compress(rows, inputs.window, compressed, COMPRESSION);
    compress(rows, inputs.analogs, analogsCompressed, COMPRESSION);
    computeHidden(rows);
    computeMedian(rows);
    multiply(rows, narrow, matrices.increments, increments);
    const lines = width * FLOAT_BYTES;
    kernels.fan(median.at, increments.at, INCREMENTS / 2, lines, quantiles.at, rows, LARGEST_WIDTH);
  }

  /** The dense layer and what is drawn from it, in the order of its inputs. */
  function computeHidden(rows: number): void {
    copy(rows, inputs.context, dense, CONTEXT_SIZE);
    const newest = CONTEXT_SIZE;
    copy(rows, columnsFrom(compressed, WINDOW_SLOTS - NEWEST_SLOTS), columnsFrom(dense, newest), NEWEST_SLOTS);
    const state = newest + NEWEST_SLOTS;
    kernels.patches(compressed.at, inputs.measured.at, lstm.patches, rows * PATCHES, UNIT);
    lstm.run(kernels, rows);
    const stateAt = columnsFrom(dense, state).at;
    kernels.widen(lstm.states, stateAt, dense.size * FLOAT_BYTES, LSTM_UNITS, rows, 1 / UNIT);
    const near = state + LSTM_UNITS;
    const parts = near + SEASONS * NEAR_STEPS;
    for (let season = 0; season < SEASONS; season++) {
      const line = columnsFrom(ownCompressed, season * width);
      copy(rows, line, columnsFrom(dense, near + season * NEAR_STEPS), NEAR_STEPS);
      multiply(rows, line, matrices.dayParts, columnsFrom(dense, parts + season * DAY_PARTS));
    }
    const spread = columnsFrom(own, SEASONS * width);
    multiply(rows, spread, matrices.dayParts, columnsFrom(dense, parts + SEASONS * DAY_PARTS));
    copy(rows, analogsCompressed, columnsFrom(dense, DENSE_SIZE - ANALOGS), ANALOGS);
    multiply(rows, dense, matrices.dense, hidden);
    silu(rows, hidden, HIDDEN);
    multiply(rows, hidden, matrices.narrow, narrow);
  }

  function computeMedian(rows: number): void {
    const [yesterday] = aroundYesterday(shape.slotMinutes);
    copy(rows, columnsFrom(inputs.window, WINDOW_SLOTS - PATCH_SLOTS), mix, PATCH_SLOTS);
    copy(rows, columnsFrom(inputs.window, yesterday), columnsFrom(mix, PATCH_SLOTS), PATCH_SLOTS);
    means(rows, inputs.window, columnsFrom(mix, 2 * PATCH_SLOTS), PATCHES);
    for (let season = 0; season < SEASONS; season++) {
      const near = 2 * PATCH_SLOTS + PATCHES + season * NEAR_STEPS;
      copy(rows, columnsFrom(own, season * width), columnsFrom(mix, near), NEAR_STEPS);
    }
    copy(rows, inputs.analogs, columnsFrom(mix, LINEAR_SIZE - ANALOGS), ANALOGS);
    multiply(rows, mix, matrices.median, median);
    const moved = columnsFrom(narrow, NARROW);
    kernels.blend(
      own.at,
      blending.trust,
      ownCompressed.at,
      width * FLOAT_BYTES,
      moved.at,
      moved.size * FLOAT_BYTES,
      blending.weights,
      blending.bias,
      blending.mixed,
      BLENDS,
      median.at,
      median.size * FLOAT_BYTES,
      rows,
    );
  }

  let answers = new Float32Array(0);
  return {
    room,
    async run(encoded, rows = encoded.rows) {
      if (encoded === room && steps === width) {
        compute(rows);
        return answered;
      }
      const size = QUANTILES.length * steps;
      if (answers.length < rows * size) answers = new Float32Array(rows * size);
      for (let first = 0; first < rows; first += ROWS) {
        const count = Math.min(ROWS, rows - first);
        if (encoded !== room) copyIn(encoded, first, count);
        compute(count);
        copyOut(first, count);
      }
      return answers;
    },
    close: async () => undefined,
  };

  function copyIn(encoded: Encoded, first: number, count: number): void {
    for (const [name, { size }] of given) {
      room[name].set(encoded[name].subarray(first * size, (first + count) * size));
    }
  }

  /** Without the steps that only fill up four. */
  function copyOut(first: number, count: number): void {
    const at = first * QUANTILES.length * steps;
    const lines = count * QUANTILES.length;
    if (steps === width) {
      answers.set(answered.subarray(0, lines * width), at);
      return;
    }
    for (let line = 0; line < lines; line++) {
      answers.set(answered.subarray(line * width, line * width + steps), at + line * steps);
    }
  }
}

function placeMatrices(
  layout: Layout,
  weights: NetworkWeights,
  { shape, width }: { readonly shape: ForecastShape; readonly width: number },
) {
  const steps = shape.horizons.length;
  const wide = (values: Float32Array) => widened(values, steps, width);
  const matrix = (values: Float32Array, bias: Float32Array): Matrix => ({
    weights: layout.constant(blocks(values, bias.length)),
    bias: layout.constant(bias),
    inputs: values.length / bias.length,
    columns: bias.length,
  });
  const medianBias = weights.linearBias.map((bias, step) => bias + (weights.correctBias[step] as number));
  return {
    dayParts: matrix(dayPartMatrix(shape.horizons), new Float32Array(DAY_PARTS)),
    dense: matrix(weights.dense, weights.denseBias),
    median: matrix(wide(joined(weights.linear, weights.correct)), wide(medianBias)),
    narrow: matrix(
      besides(weights.narrow, NARROW, weights.blendHidden, BLENDS),
      joined(weights.narrowBias, new Float32Array(BLENDS)),
    ),
    increments: matrix(wide(weights.increments), wide(weights.incrementsBias.map((bias) => bias + INCREMENT_START))),
  };
}

function placeBlend(layout: Layout, { seasons, blend, blendBias, mixed }: NetworkWeights, width: number) {
  const steps = seasons.length / SEASONS;
  return {
    trust: layout.constant(widened(seasons, steps, width)),
    weights: layout.constant(transposed(blend, BLENDS)),
    bias: layout.constant(widened(transposed(blendBias, BLENDS), steps, width)),
    mixed: layout.constant(mixed),
  };
}

function placeLstm(layout: Layout, weights: NetworkWeights) {
  const packed = packGates(weights);
  const gates = layout.constant(packed.values);
  const scales = layout.constant(packed.scales);
  /** Two whole numbers of 16 bits where one of 32 would be. */
  const patches = layout.rows(PATCHES * PATCH_PAIRS).at;
  const states = layout.rows(LSTM_UNITS).at;
  const cells = layout.rows(LSTM_UNITS).at;
  const sums = layout.room(2 * GATES * LSTM_UNITS);
  const rowBytes = PATCHES * PATCH_PAIRS * FLOAT_BYTES;
  return {
    patches,
    states,
    run: ({ lstm }: Kernels, rows: number) =>
      lstm(patches, rowBytes, rows, PATCHES, PATCH_PAIRS, LSTM_UNITS, gates, scales, cells, states, sums, UNIT),
  };
}
