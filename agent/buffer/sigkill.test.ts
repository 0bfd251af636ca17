import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { at, type Bench, createBench } from './test-kit.js';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});
afterEach(() => bench.clean());

const built = (module: string) => JSON.stringify(fileURLToPath(new URL(`../../dist/agent/${module}`, import.meta.url)));

/** Commits for ever and names each sequence number only after its commit has returned. */
const writer = (path: string) => `
import { writeSync } from 'node:fs';
import { openBuffer } from ${built('buffer/buffer.js')};
import { silentLogger } from ${built('domain/log.js')};
import { systemClock } from ${built('domain/clock.js')};
const buffer = openBuffer({ path: ${JSON.stringify(path)}, clock: systemClock, log: silentLogger, slotGraceMs: 0,
  maxRejected: 100, maxRejectedBytes: 1e6, retentionMs: 1e12, keepUnsettled: false });
for (let n = 0; ; n += 1) {
  const takenAtMs = ${at(0)} + n * 7_000;
  const readings = ['a', 'b', 'c'].map((meter) => ({ meter, takenAtMs, receivedAtMs: takenAtMs, timeSource: 'meter', powerW: n, flags: 0 }));
  writeSync(1, buffer.commit({ readings, rejected: [] }).seq + '\\n');
  if (n % 10 === 0) buffer.closeSlots(takenAtMs, 100);
}`;

test('a process that is killed has stored all that it acknowledged, and its lock is gone', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', writer(bench.path)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    if (acknowledged < 3_000 || child.killed) continue;
    expect(() => bench.open()).toThrow(expect.objectContaining({ code: 'buffer.in_use' }));
    child.kill('SIGKILL');
  }
  await ended;
  expect(child.signalCode).toBe('SIGKILL');

  const buffer = bench.open();
  expect(buffer.head().seq).toBeGreaterThanOrEqual(acknowledged);
  expect(buffer.head().seq - acknowledged).toBeLessThanOrEqual(3);
  while (buffer.closeSlots(at(1e10), 1_000).more);
  const reader = bench.reader();
  const counted = reader.stream('slot', 0, 1e6).reduce((sum, slot) => sum + slot.count, 0);
  expect(counted).toBe(buffer.head().seq);
});
