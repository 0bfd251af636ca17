import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MODULE = fileURLToPath(new URL('../dist/agent/domain/young-generation.js', import.meta.url));

/** Megabytes that V8 has for young objects after many of them have lived for a while. */
function megabytesAfter(code: string): number {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    import { growUnderLoad, keepSmallBeside, keepYoungGenerationSmall } from '${MODULE}';
    ${code}
    const held = [];
    for (let round = 0; round < 100; round += 1) {
      held[round % 8] = Array.from({ length: 20_000 }, (_, index) => ({ round, index }));
    }
    console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').physical_space_size);`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })) / 1e6;
}

/** As every thread of the gateway is. */
const THREAD = `
  const worker = new Worker('setTimeout(() => undefined, 60_000)', { eval: true });
  keepSmallBeside(worker);
  await once(worker, 'online');
  worker.unref();`;

test('young objects get little memory until a commit shows that there is load', () => {
  expect(megabytesAfter('')).toBeGreaterThan(16);
  expect(megabytesAfter('keepYoungGenerationSmall();')).toBeLessThan(4);
  expect(megabytesAfter(`keepYoungGenerationSmall(); ${THREAD}`)).toBeLessThan(4);
  expect(megabytesAfter('keepYoungGenerationSmall(); growUnderLoad(100);')).toBeLessThan(4);
  expect(megabytesAfter('keepYoungGenerationSmall(); growUnderLoad(2_000);')).toBeGreaterThan(16);
});
