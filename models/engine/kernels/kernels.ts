/**
 * What the models compute for every meter at every tick, in AssemblyScript. Places are addresses, strides are bytes, matrices
 * stand row by row. Every operation is one that WebAssembly defines to the last bit, so that all processors give the same
 * answers. `npm run generate` compiles it into ../kernels.gen.ts.
 */

export * from './analogs.js';
export * from './decode.js';
export * from './encode.js';
export * from './network.js';
