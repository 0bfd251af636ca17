import { expect, test } from 'vitest';
import { learningCurvePlot } from './learning-curve.js';

const epochs = (count: number) =>
  Array.from({ length: count }, (_, epoch) => ({
    training: 0.25 + 0.1 / (epoch + 1),
    validation: 0.26 + 0.1 / (epoch + 1),
  }));

test('three lines within the frame, and ticks at whole epochs', () => {
  const drawing = learningCurvePlot({ seed: 1, backend: 'wasm', curve: epochs(24), bestEpoch: 22 });
  expect(drawing).toContain('best after epoch 22');
  expect(drawing.match(/fill="none" stroke="#(?!525252)/g)).toHaveLength(3);
  for (const epoch of ['3', '12', '24']) expect(drawing).toContain(`>${epoch}</text>`);
  expect(drawing).not.toContain('>0</text>');
});

test.each([1, 2])('%i epochs are a drawing too', (count) => {
  const drawing = learningCurvePlot({ seed: 1, backend: 'wasm', curve: epochs(count), bestEpoch: count });
  expect(drawing).not.toMatch(/NaN|Infinity|undefined/);
});
