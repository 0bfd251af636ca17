import type { LostRange, RecordedDamage } from '../domain/damage.js';

/** For so long a loss is held up to whoever looks at the gateway; the entry itself stays. */
const TOLD_FOR_MS = 7 * 86_400_000;
const NAMED_GAPS = 3;

/** What a person must know of damage to the buffer; undefined when there is nothing to do and nothing lost. */
export function damageInWords(damages: readonly RecordedDamage[], nowMs: number): string | undefined {
  const recent = damages.filter(({ noticedAtMs }) => nowMs - noticedAtMs < TOLD_FOR_MS);
  const worth = recent.filter(({ state, lost }) => state !== 'salvaged' || lost.length > 0);
  return worth.length === 0 ? undefined : worth.map(sentence).join(' ');
}

function sentence({ noticedAtMs, cause, file, state, restored, lost, notes, isRemoved }: RecordedDamage): string {
  const kept = file === null ? '' : isRemoved ? ' Newer ones took its place.' : ` It is kept as ${file}.`;
  const noticed = `The buffer was damaged, noticed ${iso(noticedAtMs)}: ${cause}.`;
  switch (state) {
    case 'waiting':
      return `${noticed}${kept} What can be read of it is being salvaged.`;
    case 'nothing':
      return noticed;
    case 'given_up':
      return `${noticed}${kept} Nothing could be salvaged: ${notes.join('; ')}.`;
    case 'salvaged':
      return `${noticed}${kept} ${restored['reading'] ?? 0} readings are salvaged; lost: ${gaps(lost)}.`;
  }
}

function gaps(lost: readonly LostRange[]): string {
  const named = lost.slice(0, NAMED_GAPS).map(gap).join(', ');
  return lost.length > NAMED_GAPS ? `${named} and ${lost.length - NAMED_GAPS} more gaps` : named;
}

function gap({ table, after, before, rows, fromMs, toMs }: LostRange): string {
  const count = rows === null ? `rows of ${table}` : `up to ${rows} rows of ${table}`;
  const keys = `${after === null ? 'the beginning' : after.join('/')} and ${before === null ? 'the end' : before.join('/')}`;
  const times = fromMs === null && toMs === null ? '' : ` (${iso(fromMs)} to ${iso(toMs)})`;
  return `${count} between ${keys}${times}`;
}

const iso = (ms: number | null): string => (ms === null ? '?' : new Date(ms).toISOString().slice(0, 16));
