import { SLOT_MS } from '../../../agent/domain/slot.js';
import type { Connection } from './connection.js';
import { createMeterClocks } from './meter-clock.js';
import type { Order } from './orders.js';

const clockOf = createMeterClocks(Date.now);
const REGISTER_BEGAN_MS = Date.UTC(new Date().getUTCFullYear(), 0, 1);

const topicOf = (meter: number): string => `meters/bench-${meter}/reading`;

/** Power that differs, voltage, and a register that has grown by half a kilowatt since the first of this year. */
function readingOf(meter: number, turn: number, ts: number): string {
  const powerW = 200 + ((meter * 37 + turn * 13) % 9_000) / 10;
  const importWh = 10_000 * meter + Math.floor((ts - REGISTER_BEGAN_MS) / 720) / 10;
  const voltageV = (2_280 + (turn % 50)) / 10;
  return `{"ts":${ts},"power_w":${powerW.toFixed(1)},"import_wh":${importWh.toFixed(1)},"voltage_v":${voltageV}}`;
}

/** The meters of one client, one after the other. */
export function createSource({ clients, meters }: Order, client: number): (connection: Connection) => void {
  const own = Array.from({ length: Math.ceil(meters / clients) }, (_, index) => (client + index * clients) % meters);
  let turn = 0;
  return (connection) => {
    const meter = own[turn % own.length] ?? 0;
    turn += 1;
    connection.add(topicOf(meter), readingOf(meter, turn, clockOf(meter)));
  };
}

/** One reading in each of the last slots that no late reading is waited for any more. */
export function createPast(meter: number, slots: number): { readonly topic: string; readonly payload: string } {
  const end = (Math.floor(Date.now() / SLOT_MS) - 1) * SLOT_MS;
  const readings = Array.from({ length: slots }, (_, slot) =>
    readingOf(meter, slot, end - (slots - slot) * SLOT_MS + SLOT_MS / 2),
  );
  return { topic: topicOf(meter), payload: `[${readings.join(',')}]` };
}
