import { expect, test } from 'vitest';
import { parseTopicPattern } from './topic-pattern.js';

function captures(text: string, topic: string): Record<string, string> | undefined {
  const pattern = parseTopicPattern(text);
  if (pattern === undefined) throw new Error(`${text} is no pattern`);
  const match = pattern.regex.exec(topic);
  if (match === null) return undefined;
  expect(topic).toContain(pattern.literal);
  expect(pattern.filters.some((filter) => covers(filter, topic))).toBe(true);
  return Object.fromEntries(pattern.captures.map((name, index) => [name, match[index + 1] ?? '']));
}

/** As a broker compares them. */
function covers(filter: string, topic: string): boolean {
  const [wanted, given] = [filter.split('/'), topic.split('/')];
  return (
    wanted.every((level, at) => level === '#' || level === '+' || level === given[at]) &&
    (wanted.at(-1) === '#' || wanted.length === given.length)
  );
}

test.each([
  ['a/b', 'a/b', {}],
  ['a/{x}/b', 'a/1/b', { x: '1' }],
  ['a/{x}/b', 'a/1/2/b', undefined],
  ['a/{x}', 'a/', undefined],
  ['{x...}/b', '1/2/3/4/b', { x: '1/2/3/4' }],
  ['{x...}/b', '1/2/3/4/5/b', undefined],
  ['{x...}/b', '$SYS/b', undefined],
  ['a/{x...}', 'a/1/2', { x: '1/2' }],
  ['{d...}/status/em1:{i}', 'home/em/status/em1:2', { d: 'home/em', i: '2' }],
  ['{d...}/status/em1:{i}', 'home/em/status/em1data:2', undefined],
  ['a.b/{x}', 'aXb/1', undefined],
  ['{a}/{b}/c', 'ä b/2/c', { a: 'ä b', b: '2' }],
])('%s and %s', (text, topic, expected) => {
  expect(captures(text, topic)).toEqual(expected);
});

test('filters', () => {
  expect(parseTopicPattern('tele/{d...}/SENSOR')?.filters).toEqual([
    'tele/+/SENSOR',
    'tele/+/+/SENSOR',
    'tele/+/+/+/SENSOR',
    'tele/+/+/+/+/SENSOR',
  ]);
  expect(parseTopicPattern('z/{n...}')?.filters).toEqual(['z/#']);
  expect(parseTopicPattern('{d}/status/em1:{i}')?.filters).toEqual(['+/status/+']);
});

test.each([
  '',
  '/',
  '{x}',
  '{x...}',
  '{x}/{y}',
  'a/{x}/{x}',
  'a/{x...}/{y...}',
  'a/+/b',
  'a/#',
  'a/{x}{y}',
  'a/{X}',
  'a/{x',
  'a/b{x...}',
  '$SYS/{x}',
  'a/{group}',
  'a/{payload}',
])('%j is no pattern', (text) => expect(parseTopicPattern(text)).toBeUndefined());

test('a topic as long as MQTT allows is compared at once', () => {
  const beganMs = performance.now();
  captures('{d...}/status/em1:{i}', `${'a/'.repeat(32_000)}status/em1:`);
  expect(performance.now() - beganMs).toBeLessThan(100);
});
