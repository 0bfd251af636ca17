import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { NOT_YET_USED } from './structure/layers.js';
import { structureFaults } from './structure/rules.js';

const root = fileURLToPath(new URL('..', import.meta.url));

test('the project is built as tests/structure/layers.ts says', () => {
  expect(structureFaults(root, { notYetUsed: NOT_YET_USED })).toEqual([]);
});
