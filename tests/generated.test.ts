import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ERRORS } from '../agent/domain/errors.js';
import { MQTT_REFUSALS } from '../agent/domain/refusal.js';
import { REJECT_REASONS } from '../agent/domain/rejection.js';
import { KEYS } from '../config/keys.js';
import { GENERATED } from '../scripts/generated.js';

const root = fileURLToPath(new URL('..', import.meta.url));

test.each(Object.entries(GENERATED))('%s is what `npm run generate` writes', async (file, text) => {
  expect(readFileSync(join(root, file), 'utf8')).toBe(await text(root));
});

test('every setting that an error or a refusal names exists', () => {
  const names = new Set(KEYS.map(({ path }) => path.join('.')));
  const sections = KEYS.filter(({ path }) => path.length === 1).map(({ path }) => path[0]);
  const setting = new RegExp(`(?<![\\w./-])(?:${sections.join('|')})\\.[a-z_]+(?:\\.[a-z_]+)*`, 'g');
  const texts = [
    ...Object.values(ERRORS).flatMap(({ hint, action }) => [hint, action]),
    ...Object.values(REJECT_REASONS),
    ...Object.values(MQTT_REFUSALS),
  ];
  const named = texts.flatMap((text) => text.match(setting) ?? []);
  expect(named).toContain('models.trusted_keys');
  expect(named.filter((name) => !names.has(name))).toEqual([]);
});

test('docs/publishing.md explains every reason for which the broker turns somebody away', () => {
  const page = readFileSync(join(root, 'docs/publishing.md'), 'utf8');
  const missing = Object.entries(MQTT_REFUSALS).filter(
    ([reason, text]) => !page.includes(`| \`${reason}\` | ${text} |`),
  );
  expect(missing).toEqual([]);
});
