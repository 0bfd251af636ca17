import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';

const PROGRAM = fileURLToPath(new URL('../../dist/tests/leaks/cycles.js', import.meta.url));
const ROUNDS = 50;

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wattwarden-leaks-'));
});
afterEach(() => rm(dir, { recursive: true }));

test(`${ROUNDS} starts and stops in one process leave nothing behind, and it ends by itself`, {
  timeout: 120_000,
}, async () => {
  const config = join(dir, 'gateway.yaml');
  const settings = {
    version: 1,
    gateway: { data_dir: dir },
    mqtt: { port: 0 },
    http: { port: 0 },
    log: { level: 'error' },
    // Nobody listens there: the loops that reach outward fail and are stopped all the same.
    sync: { enabled: true, port: 1, tls: { mode: 'off' } },
  };
  await writeFile(config, stringify(settings));
  const { code, stdout, stderr } = await run('--trace-exit', PROGRAM, config, String(ROUNDS));
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const { first, last } = JSON.parse(stdout) as { first: Observed; last: Observed };
  expect(last.files).toEqual(first.files);
  expect(last.resources).toEqual(first.resources);
  expect(last.threads).toBeLessThanOrEqual(first.threads);
});

interface Observed {
  readonly files: Record<string, number>;
  readonly resources: readonly string[];
  readonly threads: number;
}

/** With --trace-exit a call of process.exit would stand in stderr: the program must end because nothing holds it. */
function run(...given: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, given, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
