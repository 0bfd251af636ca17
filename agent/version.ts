import { readFileSync } from 'node:fs';

/** Of this installation; two levels up from dist/agent stands its package.json. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
