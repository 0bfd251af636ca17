import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { TrueFault, Truth } from './truth.js';

export interface TruthFile {
  fault(fault: TrueFault): void;
  /** Writes what only the end knows: thefts, and the energy of each meter and day. */
  finish(truth: Truth, untilMs: number): Promise<void>;
}

/** One JSON document in a line, of which `what` says what it is. Faults come as they happen, so that memory stays flat. */
export async function openTruthFile(path: string, about: object): Promise<TruthFile> {
  const stream = createWriteStream(path);
  await once(stream, 'open');
  const write = (line: object): boolean => stream.write(`${JSON.stringify(line)}\n`);
  write({ what: 'simulation', ...about });
  return {
    fault: (fault) => void write(fault),
    async finish(truth, untilMs) {
      for (const theft of truth.thefts()) write(theft);
      for (const day of truth.days(untilMs)) {
        if (!write(day)) await once(stream, 'drain');
      }
      stream.end();
      await once(stream, 'close');
    },
  };
}
