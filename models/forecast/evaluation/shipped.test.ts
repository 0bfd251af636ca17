import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { shippedFor } from './shipped.js';

test('each width has the bundle of its own slots; where none ships it is said what to do', () => {
  expect(basename(shippedFor(5))).toBe('default-5min');
  expect(basename(shippedFor(30))).toBe('default-30min');
  expect(() => shippedFor(15)).toThrow(/15 minutes.*--train or --bundle/);
});
