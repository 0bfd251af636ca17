import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { ANALOGS } from '../forecast/analogs.js';
import { CONTEXT_SIZE, PATCHES, SEASONS } from '../forecast/features.js';
import { QUANTILES } from '../forecast/horizons.js';
import type { Port } from './protobuf.js';

/** What a network of a bundle takes and gives; any ONNX model that does may stand in one. All float32. */
export const inputPorts = (steps: number): readonly Port[] => [
  { name: 'window', dims: ['meters', WINDOW_SLOTS] },
  { name: 'measured', dims: ['meters', PATCHES] },
  { name: 'seasons', dims: ['meters', SEASONS, steps] },
  { name: 'spread', dims: ['meters', steps] },
  { name: 'analogs', dims: ['meters', ANALOGS] },
  { name: 'context', dims: ['meters', CONTEXT_SIZE] },
];

/** All steps of the lowest quantile, then of the next. */
export const outputPort = (steps: number): Port => ({ name: 'quantiles', dims: ['meters', QUANTILES.length * steps] });
