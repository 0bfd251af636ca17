import type { NetworkWeights } from '../network.js';
import { sizeOf, type WeightName, weightShapes } from '../network.js';
import type { AdamState } from './adam.js';

/** Everything that the rest of a training depends on. */
export interface Progress {
  /** Epochs that are done. */
  readonly epoch: number;
  readonly weights: NetworkWeights;
  readonly adam: AdamState;
  readonly best: { readonly epoch: number; readonly loss: number; readonly weights: NetworkWeights };
  readonly curve: readonly EpochLoss[];
}

/** Mean pinball losses, in units of what the same time yesterday errs. */
export interface EpochLoss {
  readonly training: number;
  readonly validation: number;
}

/** How a training went; the weights are those after `bestEpoch`, the first being 1. */
export interface TrainingRecord {
  readonly seed: number;
  /** What computed it: another one rounds differently. */
  readonly backend: string;
  readonly curve: readonly EpochLoss[];
  readonly bestEpoch: number;
}

/** Where a training keeps what it has reached; `purpose` names seed, data and length, so that no other one continues it. */
export interface Checkpoints {
  load(): Promise<Uint8Array | undefined>;
  save(bytes: Uint8Array): Promise<unknown>;
}

interface Head {
  readonly purpose: string;
  readonly steps: number;
  readonly epoch: number;
  readonly adamSteps: number;
  readonly best: { readonly epoch: number; readonly loss: number };
  readonly curve: readonly EpochLoss[];
}

/** A line of JSON, then the arrays as they lie in memory. */
export function packProgress({ epoch, weights, adam, best, curve }: Progress, purpose: string): Uint8Array {
  const steps = weights.linearBias.length;
  const head: Head = {
    purpose,
    steps,
    epoch,
    adamSteps: adam.steps,
    best: { epoch: best.epoch, loss: best.loss },
    curve,
  };
  const parts = [weights, adam.first, adam.second, best.weights].flatMap((set) =>
    namesOf(steps).map((name) => Buffer.from(set[name].buffer, set[name].byteOffset, set[name].byteLength)),
  );
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...parts]);
}

/** Undefined for what another training left, or what was cut short. */
export function unpackProgress(bytes: Uint8Array, purpose: string): Progress | undefined {
  const end = bytes.indexOf(10);
  if (end < 0) return undefined;
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as Head;
  if (head.purpose !== purpose) return undefined;
  const shapes = weightShapes(head.steps);
  const numbers = namesOf(head.steps).reduce((sum, name) => sum + sizeOf(shapes[name]), 0);
  if (bytes.length !== end + 1 + 4 * numbers * 4) return undefined;
  const floats = new Float32Array(Uint8Array.from(bytes.subarray(end + 1)).buffer);
  let at = 0;
  const next = (): NetworkWeights => {
    const set = namesOf(head.steps).map((name) => {
      const size = sizeOf(shapes[name]);
      at += size;
      return [name, floats.slice(at - size, at)];
    });
    return Object.fromEntries(set) as unknown as NetworkWeights;
  };
  const [weights, first, second, best] = [next(), next(), next(), next()];
  return {
    epoch: head.epoch,
    weights,
    adam: { steps: head.adamSteps, first, second },
    best: { ...head.best, weights: best },
    curve: head.curve,
  };
}

const namesOf = (steps: number): WeightName[] => Object.keys(weightShapes(steps)) as WeightName[];
