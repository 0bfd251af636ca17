import { expect, test } from 'vitest';
import { parseEach, parseJsonPath, readPath } from './json-path.js';

test.each([
  ['a', ['a']],
  ['a.b[0].c', ['a', 'b', 0, 'c']],
  ['[1]', [1]],
  ['switch:0.apower', ['switch:0', 'apower']],
  ['a["x.y"].b', ['a', 'x.y', 'b']],
  ['1_8_0', ['1_8_0']],
])('%s', (text, path) => expect(parseJsonPath(text)).toEqual(path));

test.each(['', '.', '.a', 'a.', 'a..b', 'a[', 'a[-1]', 'a[x]', '*', 'a.*', 'a b.', 'a"b', '["a"]b'])(
  '%j is no path',
  (text) => expect(parseJsonPath(text)).toBeUndefined(),
);

test('what is read is the document’s own', () => {
  const document = JSON.parse('{"a":[{"b":1}],"__proto__":{"c":2},"n":null}');
  const at = (text: string) => readPath(document, parseJsonPath(text) ?? []);
  expect([at('a[0].b'), at('__proto__.c'), at('n')]).toEqual([1, 2, null]);
  for (const text of ['constructor', 'a.length', 'a[1]', 'a[0].b.c', 'n.x', '[0]', 'toString.name'])
    expect(at(text)).toBeUndefined();
});

test('each', () => {
  expect([parseEach('*'), parseEach('a.b.*'), parseEach('a'), parseEach('*.a'), parseEach('.*')]).toEqual([
    [],
    ['a', 'b'],
    undefined,
    undefined,
    undefined,
  ]);
});
