import { type Random, seededRandom } from '../../../agent/domain/clock.js';
import { WINDOW_SLOTS } from '../../../agent/domain/slot.js';
import { CONTEXT_SIZE, type Encoded } from '../features.js';
import { LSTM_UNITS } from '../network.js';
import type { Targets } from '../samples.js';
import { adamFrom } from './adam.js';
import { glorot } from './initial.js';

/** As many as the forecaster's own LSTM has. */
export const PLAIN_UNITS = LSTM_UNITS;
/** Power, sine and cosine of the time of day, day of rest. */
const INPUTS = 4;
const UNITS = PLAIN_UNITS;
/** What a gate is made of: the inputs, a constant, and the state before. */
const WIDTH = INPUTS + 1 + UNITS;
const STATE = INPUTS + 1;
const GATES = 4;
const FORGET = 1;

/**
 * The usual LSTM over 288 single steps, as most descriptions of load forecasting have it: a yardstick, served nowhere. By
 * hand and row by row: TensorFlow.js makes ten thousand calls of a batch of so many steps, each of next to nothing.
 */
export interface PlainLstm {
  /** One step down the gradient of the absolute error; the error before it. */
  learn(batch: Encoded, targets: Targets, rate: number): number;
  /** Normalised medians, [rows, steps]. */
  predict(batch: Encoded): Float32Array;
}

export interface PlainOptions {
  readonly seed: number;
  /** How much each step of the forecast counts. */
  readonly stepWeights: Float32Array;
}

export function createPlainLstm({ seed, stepWeights }: PlainOptions): PlainLstm {
  const steps = stepWeights.length;
  const random = seededRandom(seed);
  const weights = {
    /** [UNITS, WIDTH, GATES]: what one unit needs stands together. Gates are input, forget, candidate, output. */
    cell: firstCell(random),
    /** [UNITS, steps] */
    head: glorot([UNITS, steps], random),
    headBias: new Float32Array(steps),
  };
  type Name = keyof typeof weights;
  const zeros = () => ({
    cell: new Float32Array(weights.cell.length),
    head: new Float32Array(weights.head.length),
    headBias: new Float32Array(steps),
  });
  const adam = adamFrom<Name>({ steps: 0, first: zeros(), second: zeros() });
  const walk = createWalk();
  const answer = new Float32Array(steps);

  function answerRow(batch: Encoded, row: number, cell: Float64Array): Float64Array {
    const state = walk.forward(batch, row, cell);
    for (let step = 0; step < steps; step++) {
      let sum = weights.headBias[step] as number;
      for (let unit = 0; unit < UNITS; unit++) {
        sum += (state[unit] as number) * (weights.head[unit * steps + step] as number);
      }
      answer[step] = sum;
    }
    return state;
  }

  return {
    learn(batch, targets, rate) {
      const cell = Float64Array.from(weights.cell);
      const cellSlopes = new Float64Array(cell.length);
      const slopes = zeros();
      let loss = 0;
      for (let row = 0; row < batch.rows; row++) {
        const state = answerRow(batch, row, cell);
        const stateSlope = new Float64Array(UNITS);
        for (let step = 0; step < steps; step++) {
          const at = row * steps + step;
          const error = (answer[step] as number) - (targets.values[at] as number);
          const counts = ((targets.weights[at] as number) * (stepWeights[step] as number)) / (batch.rows * steps);
          if (counts === 0) continue;
          loss += Math.abs(error) * counts;
          const slope = Math.sign(error) * counts;
          slopes.headBias[step] = (slopes.headBias[step] as number) + slope;
          for (let unit = 0; unit < UNITS; unit++) {
            const of = unit * steps + step;
            slopes.head[of] = (slopes.head[of] as number) + slope * (state[unit] as number);
            stateSlope[unit] = (stateSlope[unit] as number) + slope * (weights.head[of] as number);
          }
        }
        walk.backward(stateSlope, cell, cellSlopes);
      }
      adam.step(weights, { ...slopes, cell: Float32Array.from(cellSlopes) }, rate);
      return loss;
    },
    predict(batch) {
      const cell = Float64Array.from(weights.cell);
      const answers = new Float32Array(batch.rows * steps);
      for (let row = 0; row < batch.rows; row++) {
        answerRow(batch, row, cell);
        answers.set(answer, row * steps);
      }
      return answers;
    },
  };
}

export function firstCell(random: Random): Float32Array {
  const cell = new Float32Array(UNITS * WIDTH * GATES);
  const [kernel, recurrent] = [glorot([INPUTS, GATES * UNITS], random), glorot([UNITS, GATES * UNITS], random)];
  for (let unit = 0; unit < UNITS; unit++) {
    for (let gate = 0; gate < GATES; gate++) {
      const column = gate * UNITS + unit;
      const at = (from: number) => (unit * WIDTH + from) * GATES + gate;
      for (let input = 0; input < INPUTS; input++) cell[at(input)] = kernel[input * GATES * UNITS + column] ?? 0;
      for (let from = 0; from < UNITS; from++) cell[at(STATE + from)] = recurrent[from * GATES * UNITS + column] ?? 0;
      // A new LSTM remembers: the forget gate starts open.
      cell[at(INPUTS)] = gate === FORGET ? 1 : 0;
    }
  }
  return cell;
}

/** One row through all steps and back, in memory that is used again. */
export function createWalk() {
  /** [WINDOW_SLOTS + 1, WIDTH]: what each step is given; the last state stands after the last. */
  const given = new Float64Array((WINDOW_SLOTS + 1) * WIDTH);
  /** [WINDOW_SLOTS, UNITS, GATES] */
  const gates = new Float64Array(WINDOW_SLOTS * UNITS * GATES);
  /** [WINDOW_SLOTS + 1, UNITS]: before each step; as it is shown, after each. */
  const cells = new Float64Array((WINDOW_SLOTS + 1) * UNITS);
  const shown = new Float64Array(WINDOW_SLOTS * UNITS);
  const givenSlope = new Float64Array(WIDTH);
  const cellSlope = new Float64Array(UNITS);

  function step(slot: number, cell: Float64Array): void {
    const base = slot * WIDTH;
    let at = 0;
    for (let unit = 0; unit < UNITS; unit++) {
      let admit = 0;
      let forget = 0;
      let candidate = 0;
      let show = 0;
      for (let from = base; from < base + WIDTH; from++) {
        const value = given[from] as number;
        admit += value * (cell[at] as number);
        forget += value * (cell[at + 1] as number);
        candidate += value * (cell[at + 2] as number);
        show += value * (cell[at + 3] as number);
        at += GATES;
      }
      const place = slot * UNITS + unit;
      const four = place * GATES;
      admit = sigmoid(admit);
      forget = sigmoid(forget);
      candidate = tanh(candidate);
      show = sigmoid(show);
      gates[four] = admit;
      gates[four + 1] = forget;
      gates[four + 2] = candidate;
      gates[four + 3] = show;
      const next = forget * (cells[place] as number) + admit * candidate;
      cells[place + UNITS] = next;
      const seen = tanh(next);
      shown[place] = seen;
      given[base + WIDTH + STATE + unit] = show * seen;
    }
  }

  function stepBack(slot: number, stateSlope: Float64Array, cell: Float64Array, slopes: Float64Array): void {
    const base = slot * WIDTH;
    let at = 0;
    givenSlope.fill(0);
    for (let unit = 0; unit < UNITS; unit++) {
      const place = slot * UNITS + unit;
      const admit = gates[place * GATES] as number;
      const forget = gates[place * GATES + 1] as number;
      const candidate = gates[place * GATES + 2] as number;
      const show = gates[place * GATES + 3] as number;
      const slope = stateSlope[unit] as number;
      const seen = shown[place] as number;
      const inner = (cellSlope[unit] as number) + slope * show * (1 - seen * seen);
      cellSlope[unit] = inner * forget;
      const toAdmit = inner * candidate * admit * (1 - admit);
      const toForget = inner * (cells[place] as number) * forget * (1 - forget);
      const toCandidate = inner * admit * (1 - candidate * candidate);
      const toShow = slope * seen * show * (1 - show);
      for (let from = 0; from < WIDTH; from++) {
        const value = given[base + from] as number;
        givenSlope[from] =
          (givenSlope[from] as number) +
          toAdmit * (cell[at] as number) +
          toForget * (cell[at + 1] as number) +
          toCandidate * (cell[at + 2] as number) +
          toShow * (cell[at + 3] as number);
        slopes[at] = (slopes[at] as number) + toAdmit * value;
        slopes[at + 1] = (slopes[at + 1] as number) + toForget * value;
        slopes[at + 2] = (slopes[at + 2] as number) + toCandidate * value;
        slopes[at + 3] = (slopes[at + 3] as number) + toShow * value;
        at += GATES;
      }
    }
    stateSlope.set(givenSlope.subarray(STATE));
  }

  return {
    /** The last state. */
    forward(batch: Encoded, row: number, cell: Float64Array): Float64Array {
      writeInputs(given, batch, row);
      for (let slot = 0; slot < WINDOW_SLOTS; slot++) step(slot, cell);
      return given.subarray(WINDOW_SLOTS * WIDTH + STATE);
    },
    /** Adds to `slopes` what the row that went forward last says of the weights. */
    backward(stateSlope: Float64Array, cell: Float64Array, slopes: Float64Array): void {
      cellSlope.fill(0);
      for (let slot = WINDOW_SLOTS - 1; slot >= 0; slot--) stepBack(slot, stateSlope, cell, slopes);
    },
  };
}

/** The calendar of the window's end stands at every step: the network counts back from it. */
function writeInputs(given: Float64Array, { window, context }: Encoded, row: number): void {
  const [sine = 0, cosine = 0, , , , , rest = 0] = context.subarray(row * CONTEXT_SIZE, (row + 1) * CONTEXT_SIZE);
  for (let slot = 0; slot < WINDOW_SLOTS; slot++) {
    const at = slot * WIDTH;
    given[at] = window[row * WINDOW_SLOTS + slot] as number;
    given[at + 1] = sine;
    given[at + 2] = cosine;
    given[at + 3] = rest;
    given[at + INPUTS] = 1;
  }
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const tanh = (x: number): number => 2 / (1 + Math.exp(-2 * x)) - 1;
