import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readTimeEvidence } from './time-evidence.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wattwarden-evidence-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const read = () =>
  readTimeEvidence({ confirmedFile: join(dir, 'service', 'synchronized'), batteryFile: join(dir, 'rtc') });

test('a machine that says nothing of its clock', async () => {
  expect(await read()).toEqual({ confirmedAtMs: undefined, serviceRuns: false, batteryMs: undefined });
});

test('a time service that runs, and then has set the clock', async () => {
  mkdirSync(join(dir, 'service'));
  expect(await read()).toMatchObject({ confirmedAtMs: undefined, serviceRuns: true });
  const file = join(dir, 'service', 'synchronized');
  writeFileSync(file, '');
  utimesSync(file, 1_800_000_000, 1_800_000_000);
  expect(await read()).toMatchObject({ confirmedAtMs: 1_800_000_000_000, serviceRuns: true });
});

test('a battery-backed clock, and one that answers nonsense', async () => {
  writeFileSync(join(dir, 'rtc'), '1800000000\n');
  expect((await read()).batteryMs).toBe(1_800_000_000_000);
  writeFileSync(join(dir, 'rtc'), 'no\n');
  expect((await read()).batteryMs).toBeUndefined();
});
