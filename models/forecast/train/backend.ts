import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { messageOf } from '../../../agent/domain/errors.js';

/** TensorFlow.js is CommonJS whose names Node cannot see from an import; types come from the packages all the same. */
type Core = typeof import('@tensorflow/tfjs-core');
type Layers = typeof import('@tensorflow/tfjs-layers');

export interface Backend {
  readonly tf: Core;
  readonly layers: Layers;
  readonly name: 'tfjs-node' | 'wasm';
  /** Why it is this one. */
  readonly reason: string;
}

const require = createRequire(import.meta.url);

let loaded: Promise<Backend> | undefined;

/** The only place that chooses what trains: tfjs-node with its native library, or WASM on one thread. */
export function loadBackend(): Promise<Backend> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Backend> {
  const tf: Core = require('@tensorflow/tfjs-core');
  const layers: Layers = require('@tensorflow/tfjs-layers');
  const missing = requireNative();
  if (missing === undefined && (await tf.setBackend('tensorflow'))) {
    return { tf, layers, name: 'tfjs-node', reason: 'its native library is installed' };
  }
  const wasm: typeof import('@tensorflow/tfjs-backend-wasm') = require('@tensorflow/tfjs-backend-wasm');
  // One thread: sums keep their order, so that the same seed gives the same weights, bit for bit.
  wasm.setThreadsCount(1);
  if (!(await tf.setBackend('wasm'))) throw new Error('the WASM backend of TensorFlow.js does not start');
  return { tf, layers, name: 'wasm', reason: missing ?? 'tfjs-node registered no backend' };
}

/** Why the native library cannot be used; undefined when it is loaded. */
function requireNative(): string | undefined {
  try {
    const root = dirname(require.resolve('@tensorflow/tfjs-node/package.json'));
    // Asked before loading: without it the package takes 0.4 s to say so.
    if (!existsSync(join(root, 'lib'))) return 'tfjs-node is installed without its native library';
    require('@tensorflow/tfjs-node');
    return undefined;
  } catch (error) {
    return `tfjs-node does not load: ${messageOf(error).split('\n')[0]}`;
  }
}
