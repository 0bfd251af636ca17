import type { WeightName } from '../forecast/network.js';

/** Under which name what was learned stands in a model, beside inputs that may be called the same. */
export const storedAs = (name: WeightName): string => `weights.${name}`;
/** And what its int8 numbers are multiplied with. */
export const scalesOf = (name: WeightName): string => `scales.${name}`;
