import { SLOT_MS } from '../../agent/domain/slot.js';
import type { SimulatedMeter } from './fleet.js';
import type { Format } from './formats/format.js';
import type { SimulatedMessage } from './meter-messages.js';
import type { Shown } from './sent-reading.js';

/** Readings in one publication of the past, where a format has lists. */
const CHUNK = 288;

/** The past without faults: a reading per slot, from its middle, with the mean power of the slot. */
export function* historyOf(
  meter: SimulatedMeter,
  format: Format,
  fromMs: number,
  toMs: number,
): Generator<SimulatedMessage, void> {
  let chunk: Shown[] = [];
  const lastSlot = Math.floor(toMs / SLOT_MS) - 1;
  for (let slot = Math.floor(fromMs / SLOT_MS); slot <= lastSlot; slot++) {
    chunk.push(meanOf(meter, slot * SLOT_MS));
    if (format.name === 'native' && chunk.length < CHUNK && slot < lastSlot) continue;
    yield* packed(meter, format, chunk);
    chunk = [];
  }
}

export function meanOf(meter: SimulatedMeter, slotStartMs: number): Shown {
  const { reading, conditions } = meter.shown(slotStartMs + SLOT_MS / 2);
  const [from, to] = [meter.at(slotStartMs), meter.at(slotStartMs + SLOT_MS)];
  const wh = to.import_wh - from.import_wh - ((to.export_wh ?? 0) - (from.export_wh ?? 0));
  return { reading: { ...reading, power_w: Number(((wh * 3_600_000) / SLOT_MS).toFixed(1)) }, conditions };
}

function* packed(meter: SimulatedMeter, format: Format, chunk: readonly Shown[]): Generator<SimulatedMessage, void> {
  const last = chunk.at(-1);
  if (last === undefined) return;
  const messages =
    format.name === 'native'
      ? [{ topic: `meters/${meter.id}/reading`, payload: JSON.stringify(chunk.map(({ reading }) => reading)) }]
      : chunk.flatMap((shown) => format.encode(meter, shown));
  const takenMs = last.reading.ts;
  for (const message of messages)
    yield { ...message, dueMs: takenMs, takenMs, tsMs: takenMs, faults: [], wrongSinceMs: takenMs };
}
