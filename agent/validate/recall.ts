import { FLAGS, type Flag } from '../domain/flags.js';
import type { Reading } from '../domain/reading.js';
import { printOfRegisters, printOfValues } from './fingerprint.js';
import type { MeterMemory } from './meter-memory.js';
import type { MeterState } from './meter-state.js';
import { latest } from './plausibility.js';
import type { RegisterState } from './register.js';
import { REGISTERS_UNKNOWN } from './repeats.js';

export type Remembered = Pick<Reading, 'meter' | 'takenAtMs'> & Partial<Reading>;

const ALTERED: readonly Flag[] = ['register_jitter', 'register_back', 'register_step'];
const ALTERED_BITS = ALTERED.reduce((bits, flag) => bits | (1 << FLAGS[flag].bit), 0);
const SUMMED_BIT = 1 << FLAGS.register_summed.bit;

/**
 * After a restart: what the buffer has of each meter, oldest first. What a register may be moving to is lost, and has
 * to be confirmed from its beginning.
 */
export function recall(memory: MeterMemory, readings: Iterable<Remembered>): void {
  for (const reading of readings) {
    const { meter, takenAtMs, importWh, exportWh } = reading;
    const known = memory.find(meter);
    const before = memory.stateOf(known);
    const state: MeterState = {
      lastMs: latest(before.lastMs, takenAtMs),
      imported: newer(before.imported, importWh, takenAtMs),
      exported: newer(before.exported, exportWh, takenAtMs),
      units: undefined,
      power: undefined,
    };
    const registers = registersOf(reading, before);
    memory.learn(meter, { known, before, state, print: { takenAtMs, values: printOfValues(reading), registers } });
  }
}

/** Of the registers as they were sent, which is not always as they are stored. */
function registersOf({ importWh, exportWh, flags = 0 }: Remembered, before: MeterState): number {
  if ((flags & ALTERED_BITS) !== 0) return REGISTERS_UNKNOWN;
  if ((flags & SUMMED_BIT) === 0) return printOfRegisters(importWh, exportWh, undefined, undefined);
  const imported = grownSince(before.imported, importWh);
  const exported = grownSince(before.exported, exportWh);
  if (imported === 'unknown' || exported === 'unknown') return REGISTERS_UNKNOWN;
  return printOfRegisters(undefined, undefined, imported, exported);
}

function grownSince(before: RegisterState | undefined, wh: number | undefined): number | undefined | 'unknown' {
  if (wh === undefined) return undefined;
  return before === undefined ? 'unknown' : wh - before.wh;
}

function newer(before: RegisterState | undefined, wh: number | undefined, atMs: number): RegisterState | undefined {
  if (wh === undefined || (before !== undefined && atMs < before.atMs)) return before;
  return { wh, atMs };
}
