import { stringify } from 'yaml';
import { isSection } from './file.js';
import { KEYS } from './keys.js';
import type { Settings } from './schema.js';

const SECRETS: ReadonlySet<string> = new Set(KEYS.filter(({ secret }) => secret).map(({ path }) => path.join('.')));

/** The settings in force as YAML that can be loaded again, secrets apart. */
export function printSettings(settings: Settings): string {
  return stringify(masked(settings, ''), { lineWidth: 0 });
}

function masked(value: unknown, name: string): unknown {
  if (!isSection(value)) return SECRETS.has(name) ? '[secret]' : value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, masked(inner, name === '' ? key : `${name}.${key}`)]),
  );
}
