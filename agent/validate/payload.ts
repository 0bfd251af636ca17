import { Buffer } from 'node:buffer';
import type { Refusal } from './feeds/feed.js';

/** A payload of feeds has four levels; without a bound, whatever walks through the value overflows the stack. */
export const MAX_DEPTH = 16;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// `[` and `{`, `]` and `}` differ in one bit.
const CASE = 0x20;
const OPENS = 0x7b;
const CLOSES = 0x7d;

export function parseJson(payload: Uint8Array): { readonly value: unknown } | { readonly refusal: Refusal } {
  if (isTooDeep(payload)) {
    return { refusal: { reason: 'too_deep', detail: `nested more than ${MAX_DEPTH} levels deep` } };
  }
  try {
    return { value: JSON.parse(textOf(payload)) };
  } catch (error) {
    return { refusal: { reason: 'not_json', detail: error instanceof Error ? error.message : String(error) } };
  }
}

const textOf = (payload: Uint8Array): string =>
  (Buffer.isBuffer(payload) ? payload : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)).toString(
    'utf8',
  );

function isTooDeep(payload: Uint8Array): boolean {
  let depth = 0;
  let isText = false;
  for (let i = 0; i < payload.length; i += 1) {
    const byte = payload[i] ?? 0;
    if (isText) {
      if (byte === BACKSLASH) i += 1;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if ((byte | CASE) === OPENS) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if ((byte | CASE) === CLOSES) depth -= 1;
  }
  return false;
}
