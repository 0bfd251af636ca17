import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MENU } from '../scripts/menu.mjs';

test('`npm run help` explains every script, and only those', () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(manifest).toHaveProperty('scripts');
  expect(Object.keys(MENU)).toEqual(Object.keys((manifest as { scripts: object }).scripts));
});
