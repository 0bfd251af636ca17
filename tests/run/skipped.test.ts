import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'wattwarden-skips-'));
  symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'));
});
afterEach(() => rmSync(place, { recursive: true }));

function runTests(source: string, { ci, args = [] }: { ci: boolean; args?: readonly string[] }) {
  const reporter = join(root, 'tests/run/skipped.ts');
  writeFileSync(
    join(place, 'vitest.config.mjs'),
    `export default { test: { reporters: ['default', ${JSON.stringify(reporter)}] } };`,
  );
  writeFileSync(join(place, 'some.test.mjs'), `import { describe, test } from 'vitest';\n${source}`);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const env = { ...process.env, CI: ci ? 'true' : '', NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, 'run', '--root', place, ...args], {
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const ACCEPTED = `
test('passes', () => {});
test('compresses', ({ skip }) => skip('needs TimescaleDB: set WATTWARDEN_TIMESCALE_URL'));
describe.skip('trains fast (needs tfjs-node)', () => test('quickly', () => {}));`;

test('what is skipped is counted and named with its reason, after the summary', () => {
  const { status, stdout } = runTests(ACCEPTED, { ci: true });
  expect(status).toBe(0);
  expect(stdout).toMatch(/Tests +1 passed \| 2 skipped[\s\S]*\nSkipped: 2\n/);
  expect(stdout).toContain('needs TimescaleDB: set WATTWARDEN_TIMESCALE_URL: compresses');
  expect(stdout).toContain('needs tfjs-node: trains fast (needs tfjs-node) > quickly');
});

test.each([
  ["test('x', ({ skip }) => skip('needs mosquitto'));", 'needs mosquitto: x'],
  ["test.skip('x', () => {});", 'without a reason: x'],
  ["test.todo('x');", 'without a reason: x'],
])('in CI another reason fails the run: %s', (source, line) => {
  const inCi = runTests(`${ACCEPTED}\n${source}`, { ci: true });
  expect(inCi.stdout).toContain(line);
  expect(inCi.stderr).toContain('1 skipped otherwise');
  expect(inCi.status).toBe(1);
  expect(runTests(`${ACCEPTED}\n${source}`, { ci: false }).status).toBe(0);
});

test('whoever asks for tests by name hears nothing of the others', () => {
  const { status, stdout } = runTests(`${ACCEPTED}\ntest.skip('x', () => {});`, { ci: true, args: ['-t', 'passes'] });
  expect(status).toBe(0);
  expect(stdout).not.toContain('Skipped:');
});
