import { invariant } from '../../domain/errors.js';
import type { FlagMapping } from '../../domain/feed-mapping.js';
import type { MeterFlag } from '../../domain/flags.js';
import { parseJsonPath } from '../../domain/json-path.js';
import type { Look } from './meter-name.js';
import { numberOf } from './value.js';

/** More texts than a device has to say about itself. */
const MAX_TEXTS = 64;
const NONE: readonly MeterFlag[] = [];

/** What a meter says of itself. */
export function createFlagReader(mappings: readonly FlagMapping[]): (look: Look) => readonly MeterFlag[] {
  const checks = mappings.map(({ flag, path, ...rule }) => {
    const steps = parseJsonPath(path);
    invariant(steps !== undefined, `the path ${path} was checked before`);
    return { flag, steps, isRaised: conditionOf(rule) };
  });
  if (checks.length === 0) return () => NONE;
  return (look) => {
    const raised = checks.filter(({ steps, isRaised }) => isRaised(look(steps)));
    return raised.length === 0 ? NONE : [...new Set(raised.map(({ flag }) => flag))];
  };
}

function conditionOf({ bit, contains }: Pick<FlagMapping, 'bit' | 'contains'>): (raw: unknown) => boolean {
  if (bit !== undefined) {
    return (raw) => {
      const number = numberOf(raw);
      return typeof number === 'number' && Math.floor(number / 2 ** bit) % 2 === 1;
    };
  }
  if (contains !== undefined) {
    const wanted = contains.map((text) => text.toLowerCase());
    return (raw) => {
      const texts: readonly unknown[] = Array.isArray(raw) ? raw.slice(0, MAX_TEXTS) : [raw];
      return texts.some((text) => typeof text === 'string' && wanted.some((part) => text.toLowerCase().includes(part)));
    };
  }
  return (raw) => {
    if (typeof raw === 'string' && /^(?:true|on|yes)$/i.test(raw)) return true;
    const number = numberOf(raw);
    return raw === true || (typeof number === 'number' && number !== 0);
  };
}
