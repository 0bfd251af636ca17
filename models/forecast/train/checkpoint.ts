import { z } from 'zod';
import { WattwardenError } from '../../../agent/domain/errors.js';
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
  /** Where a person finds it. */
  readonly name: string;
  load(): Promise<Uint8Array | undefined>;
  save(bytes: Uint8Array): Promise<unknown>;
}

const headSchema = z.strictObject({
  purpose: z.string(),
  steps: z.int().positive(),
  epoch: z.int().nonnegative(),
  adamSteps: z.int().nonnegative(),
  best: z.strictObject({ epoch: z.int().nonnegative(), loss: z.number() }),
  curve: z.array(z.strictObject({ training: z.number(), validation: z.number() })),
});
type Head = z.infer<typeof headSchema>;

const NEWLINE = 10;

/** A line of JSON, then the arrays as they lie in memory. */
export function packProgress({ epoch, weights, adam, best, curve }: Progress, purpose: string): Uint8Array {
  const steps = weights.linearBias.length;
  const head: Head = {
    purpose,
    steps,
    epoch,
    adamSteps: adam.steps,
    best: { epoch: best.epoch, loss: best.loss },
    curve: [...curve],
  };
  const parts = [weights, adam.first, adam.second, best.weights].flatMap((set) =>
    namesOf(steps).map((name) => Buffer.from(set[name].buffer, set[name].byteOffset, set[name].byteLength)),
  );
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...parts]);
}

interface Expected {
  readonly purpose: string;
  /** Of whoever has kept it, for an error. */
  readonly name: string;
}

/** Undefined for what another training left. Throws `training.unreadable` for what none can have written whole. */
export function unpackProgress(bytes: Uint8Array, { purpose, name }: Expected): Progress | undefined {
  const unreadable = (detail: string): never => {
    throw new WattwardenError('training.unreadable', `${name}: ${detail}`);
  };
  const end = bytes.indexOf(NEWLINE);
  const head = parseHead(bytes.subarray(0, Math.max(end, 0))) ?? unreadable('its first line is not that of a training');
  if (head.purpose !== purpose) return undefined;
  const shapes = weightShapes(head.steps);
  const numbers = namesOf(head.steps).reduce((sum, name) => sum + sizeOf(shapes[name]), 0);
  const whole = end + 1 + 4 * numbers * 4;
  if (bytes.length !== whole) unreadable(`${bytes.length} bytes in place of ${whole}`);
  const floats = new Float32Array(Uint8Array.from(bytes.subarray(end + 1)).buffer);
  if (!floats.every(Number.isFinite)) unreadable('weights that are no numbers');
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

function parseHead(bytes: Uint8Array): Head | undefined {
  try {
    return headSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}

const namesOf = (steps: number): WeightName[] => Object.keys(weightShapes(steps)) as WeightName[];
