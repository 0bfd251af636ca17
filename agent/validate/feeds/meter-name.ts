import { createHash } from 'node:crypto';
import { invariant } from '../../domain/errors.js';
import { type NamePart, parseNameTemplate } from '../../domain/name-template.js';
import type { Captures, Refusal } from './feed.js';

const MAX_CHARACTERS = 64;
const DIGEST_CHARACTERS = 16;

/** Undefined for what is not there. */
export type Look = (path: Extract<NamePart, { kind: 'payload' }>['path']) => unknown;

export interface MeterName {
  of(captures: Captures, group: string, look: Look): string | Refusal;
}

export function createMeterName(template: string): MeterName {
  const parts = parseNameTemplate(template);
  invariant(parts !== undefined, `the template ${template} was checked before`);
  return {
    of(captures, group, look) {
      let name = '';
      for (const part of parts) {
        const text = part.kind === 'text' ? part.text : fill(part, captures, group, look);
        if (typeof text !== 'string') return text;
        name += text;
      }
      return name;
    },
  };
}

function fill(part: Exclude<NamePart, { kind: 'text' }>, captures: Captures, group: string, look: Look) {
  const raw = part.kind === 'payload' ? look(part.path) : part.name === 'group' ? group : captures[part.name];
  if ((typeof raw === 'string' && raw !== '') || typeof raw === 'number') return namePart(String(raw));
  const what = part.kind === 'payload' ? part.text : part.name;
  return { reason: 'bad_meter_id', detail: `${what}, which makes the meter's name, is not there` } as const;
}

/**
 * Part of a name, so that two different texts never give one name: as in an address of the web, with `.` in place of
 * `%`. `Living room` becomes `Living.20room`, a dot `.2e`.
 */
function namePart(text: string): string | Refusal {
  if (/^[A-Za-z0-9_-]*$/.test(text)) return text;
  if (/\p{Surrogate}/u.test(text)) return { reason: 'bad_meter_id', detail: 'half a character in the name' };
  let name = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const character = String.fromCharCode(byte);
    name += /[A-Za-z0-9_-]/.test(character) ? character : `.${byte.toString(16).padStart(2, '0')}`;
  }
  return name;
}

/** `.h` stands in no name that fits, because h is no digit of an escape; what follows is a hash of the whole. */
export function fitted(name: string): string {
  if (name.length <= MAX_CHARACTERS) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, DIGEST_CHARACTERS);
  return `${name.slice(0, MAX_CHARACTERS - DIGEST_CHARACTERS - 2)}.h${digest}`;
}
