import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MODULE = fileURLToPath(new URL('../dist/agent/domain/heap-growth.js', import.meta.url));

function run(body: string): number {
  const script = `
    import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    import { growUnderLoad, keepHeapSmall, keepSmallBeside, startIsOver } from '${MODULE}';
    const space = (name) => getHeapSpaceStatistics().find(({ space_name }) => space_name === name);
    ${body}`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })) / 1e6;
}

/** Megabytes that V8 has for young objects after many of them have lived for a while. */
const youngAfter = (code: string): number =>
  run(`
    ${code}
    const held = [];
    for (let round = 0; round < 100; round += 1) {
      held[round % 8] = Array.from({ length: 20_000 }, (_, index) => ({ round, index }));
    }
    console.log(space('new_space').physical_space_size);`);

/** Megabytes of old objects at most, garbage among them, where some 13 are in use. */
const mostOldAfter = (code: string): number =>
  run(`
    ${code}
    const kept = Array.from({ length: 200_000 }, (_, index) => ({ index, name: 'name' + index }));
    const held = [];
    let most = 0;
    for (let round = 0; round < 600_000; round += 1) {
      held[round % 40_000] = { round, of: [round, kept.length] };
      if (round % 2_000 === 0) most = Math.max(most, space('old_space').space_used_size);
    }
    console.log(most);`);

/** As every thread of the gateway is. */
const THREAD = `
  const worker = new Worker('setTimeout(() => undefined, 60_000)', { eval: true });
  keepSmallBeside(worker);
  await once(worker, 'online');
  worker.unref();`;

test('young objects get little memory until a commit shows that there is load', () => {
  expect(youngAfter('')).toBeGreaterThan(16);
  expect(youngAfter('keepHeapSmall();')).toBeLessThan(4);
  expect(youngAfter(`keepHeapSmall(); ${THREAD}`)).toBeLessThan(4);
  expect(youngAfter('keepHeapSmall(); growUnderLoad(100);')).toBeLessThan(4);
  expect(youngAfter('keepHeapSmall(); growUnderLoad(2_000);')).toBeGreaterThan(16);
});

test('old garbage is collected early from the end of the start until there is load', () => {
  // Young objects with little memory become old soon.
  const young = `setFlagsFromString('--semi-space-growth-factor=1');`;
  const small = mostOldAfter('keepHeapSmall(); startIsOver();');
  expect(mostOldAfter('keepHeapSmall();')).toBeGreaterThan(1.5 * small);
  expect(mostOldAfter(`keepHeapSmall(); startIsOver(); growUnderLoad(2_000); ${young}`)).toBeGreaterThan(1.5 * small);
  expect(mostOldAfter(`keepHeapSmall(); growUnderLoad(2_000); startIsOver(); ${young}`)).toBeGreaterThan(1.5 * small);
  expect(mostOldAfter(`keepHeapSmall(); startIsOver(); ${THREAD}`)).toBeLessThan(1.2 * small);
});
