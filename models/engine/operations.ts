import { type Address, FLOAT_BYTES, type Kernels, type Rows } from './machine.js';

/** In blocks of four columns, as the kernels read it; as many biases as columns. */
export interface Matrix {
  readonly weights: Address;
  readonly bias: Address;
  readonly inputs: number;
  readonly columns: number;
}

const bytes = (numbers: number): number => numbers * FLOAT_BYTES;

/** The same rows from a column on. */
export const columnsFrom = ({ at, size }: Rows, column: number): Rows => ({ at: at + bytes(column), size });

/** The kernels that work on any rows, by what they are about in place of addresses and bytes. */
export function createOperations(kernels: Kernels) {
  return {
    copy(rows: number, source: Rows, to: Rows, count: number): void {
      kernels.copyRows(source.at, bytes(source.size), to.at, bytes(to.size), count, rows);
    },
    /** Whole rows; both are as wide. */
    compress(rows: number, source: Rows, to: Rows, limit: number): void {
      kernels.compress(source.at, to.at, rows * source.size, limit);
    },
    multiply(rows: number, source: Rows, { weights, bias, inputs, columns }: Matrix, to: Rows): void {
      kernels.dense(source.at, bytes(source.size), rows, inputs, weights, bias, columns / 4, to.at, bytes(to.size));
    },
    silu(rows: number, { at, size }: Rows, count: number): void {
      kernels.silu(at, bytes(size), count, rows);
    },
    means(rows: number, source: Rows, to: Rows, runs: number): void {
      kernels.meansOfTwelve(source.at, bytes(source.size), to.at, bytes(to.size), runs, rows);
    },
  };
}
