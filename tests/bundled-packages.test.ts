import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const CHUNKS = fileURLToPath(new URL('../dist/agent/chunks/', import.meta.url));

test('in what runs day and night the libraries of MQTT ask nobody for DEBUG', () => {
  const sources = readdirSync(CHUNKS)
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFileSync(`${CHUNKS}${file}`, 'utf8'));
  expect(sources.some((source) => source.includes('mqtt-packet:parser'))).toBe(true);
  // What the package calls itself by; names are kept in a bundle.
  expect(sources.filter((source) => source.includes('createDebug'))).toEqual([]);
});
