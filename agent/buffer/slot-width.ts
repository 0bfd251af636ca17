import { WattwardenError } from '../domain/errors.js';
import { isSlotWidth, SLOT_MINUTES, type SlotMinutes } from '../domain/slot.js';
import type { Connection } from './buffer-file.js';

const NAME = 'slot_minutes';

const written = (db: Connection): number | undefined => {
  const text = db.prepare<[string], string>('select value from setting where name = ?').pluck().get(NAME);
  return text === undefined ? undefined : Number(text);
};
const isUsed = (db: Connection): boolean => db.prepare('select 1 from slot limit 1').get() !== undefined;

/** The first to open a file says how wide its slots are; everyone after that must say the same. */
export function claimSlotWidth(db: Connection, minutes: SlotMinutes): SlotMinutes {
  // Files of before this was noted have slots of the usual width.
  const known = written(db) ?? (isUsed(db) ? SLOT_MINUTES : undefined);
  if (known === undefined) {
    db.prepare('insert into setting (name, value) values (?, ?)').run(NAME, String(minutes));
    return minutes;
  }
  if (known === minutes) return minutes;
  throw new WattwardenError('buffer.slot_width', `${db.name}: slots of ${known} minutes, configured are ${minutes}`);
}

export function slotMsOf(db: Connection): number {
  const minutes = written(db) ?? SLOT_MINUTES;
  if (isSlotWidth(minutes)) return minutes * 60_000;
  throw new WattwardenError('buffer.slot_width', `${db.name}: slots of ${minutes} minutes are none that there are`);
}
