import { expect, test } from 'vitest';
import { epochMs } from '../domain/brand.js';
import { createRings, hasValues, type Print, remember, rememberedOf, seenAt, takeBack } from './repeats.js';

const print = (time: number, values = time): Print => ({ takenAtMs: epochMs(time), values, registers: 0 });
const createRecent = createRings();

test('few meters are remembered further back than many, within bounds', () => {
  expect([0, 1, 80, 1_000, 20_000].map(rememberedOf)).toEqual([4_096, 4_096, 1_250, 100, 32]);
});

test('the ring grows as it fills, up to its bound, and then forgets the oldest', () => {
  const recent = createRecent();
  for (let time = 1; time <= 500; time++) remember(recent, print(time), 100);
  expect(recent.ringRoom).toBe(100);
  const seen = Array.from({ length: 500 }, (_, index) => seenAt(recent, print(index + 1)));
  expect(seen.filter((one) => one === 'same')).toHaveLength(100);
  expect(seen.slice(400).every((one) => one === 'same')).toBe(true);
  expect(seenAt(recent, print(450, 7))).toBe('other');
  expect(seenAt(recent, print(501))).toBe('new');
  expect(hasValues(recent, { values: 450, registers: 0 })).toBe(true);
  expect(hasValues(recent, { values: 399, registers: 0 })).toBe(false);
});

test('late readings are found again as well', () => {
  const recent = createRecent();
  for (const time of [10, 5, 7]) remember(recent, print(time), 100);
  expect([5, 7, 10].map((time) => seenAt(recent, print(time)))).toEqual(['same', 'same', 'same']);
  expect([6, 11].map((time) => seenAt(recent, print(time)))).toEqual(['new', 'new']);
});

test('rings stay apart, also when their neighbours grow and forget', () => {
  const rings = Array.from({ length: 200 }, createRecent);
  for (let time = 1; time <= 40; time++) {
    for (const [meter, ring] of rings.entries()) {
      remember(ring, print(time, meter), meter % 3 === 0 ? 100 : 32);
    }
  }
  for (const [meter, ring] of rings.entries()) {
    const seen = Array.from({ length: 40 }, (_, index) => seenAt(ring, print(index + 1, meter)));
    const forgotten = meter % 3 === 0 ? 0 : 8;
    expect(seen, `ring ${meter}`).toEqual(seen.map((_, index) => (index < forgotten ? 'new' : 'same')));
  }
});

test('what is taken back is new again, also when the ring grew or forgot meanwhile', () => {
  for (const [kept, added, most] of [
    [10, 5, 100],
    [30, 40, 100],
    [100, 20, 100],
  ] as const) {
    const recent = createRecent();
    for (let time = 1; time <= kept; time++) remember(recent, print(time), most);
    const undo: Print[] = [];
    for (let time = kept + 1; time <= kept + added; time++) undo.push(remember(recent, print(time), most));
    for (const before of undo.reverse()) takeBack(recent, before);
    for (let time = kept + 1; time <= kept + added; time++) expect(seenAt(recent, print(time))).toBe('new');
    for (let time = Math.max(1, kept - 10); time <= kept; time++) expect(seenAt(recent, print(time))).toBe('same');
  }
});
