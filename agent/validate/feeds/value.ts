/** What stands at one place of a payload, as a number; `absent` is no key at all, `missing` a key that says nothing. */
export type Quantity = number | 'absent' | 'missing' | 'wrong';

const MISSING = new Set(['', 'unknown', 'unavailable', 'null', 'none', 'nan', 'n/a', '-']);
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
/** Longer text is no number that a meter writes. */
const MAX_CHARACTERS = 40;

export function numberOf(raw: unknown): Quantity {
  if (typeof raw === 'number') return raw;
  if (raw === undefined) return 'absent';
  if (raw === null) return 'missing';
  if (typeof raw !== 'string' || raw.length > MAX_CHARACTERS) return 'wrong';
  const text = raw.trim();
  if (NUMBER.test(text)) return Number(text);
  return MISSING.has(text.toLowerCase()) ? 'missing' : 'wrong';
}

export const saysNothing = (raw: unknown): boolean => {
  const number = numberOf(raw);
  return number === 'absent' || number === 'missing';
};

/** 1073.079 kWh is 1073079 Wh and not 1073078.9999999999; beyond 2^53 millionths there is nothing to round. */
export function withoutNoise(value: number): number {
  const millionths = value * 1e6;
  return Math.abs(millionths) < Number.MAX_SAFE_INTEGER ? Math.round(millionths) / 1e6 : value;
}
