import { expect, test } from 'vitest';
import { nearest } from './suggest.js';

test.each([
  ['hots', 'host'],
  ['Port', 'port'],
  ['max_conections', 'max_connections'],
  ['something_else', undefined],
  ['', undefined],
])('%s is probably %s', (written, meant) => {
  expect(nearest(written, ['host', 'port', 'max_connections', 'max_payload_bytes'])).toBe(meant);
});
