import { mapWeights, type NetworkWeights } from '../network.js';

type Arrays<Name extends string> = Readonly<Record<Name, Float32Array>>;

export interface Adam<Weights = NetworkWeights> {
  /** One step down the gradient, in place; a gradient longer than the limit is shortened to it. */
  step(weights: Weights, gradients: Weights, rate: number): void;
  readonly state: AdamState<Weights>;
}

/** What a training that goes on later must know. */
export interface AdamState<Weights = NetworkWeights> {
  steps: number;
  readonly first: Weights;
  readonly second: Weights;
}

const FIRST_DECAY = 0.9;
const SECOND_DECAY = 0.999;
const EPSILON = 1e-7;
/** A batch with a wild meter must not throw the weights away. */
const LONGEST_GRADIENT = 1;

export function createAdam(steps: number, from?: AdamState): Adam {
  const zeros = () => mapWeights(steps, (_, shape) => new Float32Array(shape.reduce((size, next) => size * next, 1)));
  return adamFrom(from ?? { steps: 0, first: zeros(), second: zeros() });
}

/** Kingma and Ba's optimiser on plain arrays: its state can be stored, and its sums keep their order. */
export function adamFrom<Name extends string>(state: AdamState<Arrays<Name>>): Adam<Arrays<Name>> {
  const names = Object.keys(state.first) as Name[];
  return {
    state,
    step(weights, gradients, rate) {
      state.steps += 1;
      const shorten = Math.min(1, LONGEST_GRADIENT / lengthOf(gradients));
      // A batch without a finite gradient teaches nothing.
      if (!Number.isFinite(shorten)) return;
      const firstBias = 1 - FIRST_DECAY ** state.steps;
      const secondBias = 1 - SECOND_DECAY ** state.steps;
      for (const name of names) {
        const [weight, gradient, first, second] = [
          weights[name],
          gradients[name],
          state.first[name],
          state.second[name],
        ];
        for (let i = 0; i < weight.length; i++) {
          const slope = (gradient[i] as number) * shorten;
          const mean = FIRST_DECAY * (first[i] as number) + (1 - FIRST_DECAY) * slope;
          const square = SECOND_DECAY * (second[i] as number) + (1 - SECOND_DECAY) * slope * slope;
          first[i] = mean;
          second[i] = square;
          weight[i] = (weight[i] as number) - (rate * (mean / firstBias)) / (Math.sqrt(square / secondBias) + EPSILON);
        }
      }
    },
  };
}

function lengthOf(gradients: Arrays<string>): number {
  let sum = 0;
  for (const gradient of Object.values(gradients)) {
    for (let i = 0; i < gradient.length; i++) sum += (gradient[i] as number) ** 2;
  }
  return Math.sqrt(sum);
}
