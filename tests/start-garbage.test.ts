import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MODULE = fileURLToPath(new URL('../dist/agent/domain/start-garbage.js', import.meta.url));

/** Megabytes of old objects in use, a while after thirty of them were garbage. */
function megabytesInUse(code: string): number {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { collectAfterStart } from '${MODULE}';
    let start = Array.from({ length: 500_000 }, (_, index) => ({ index }));
    start = undefined;
    ${code}
    setTimeout(() => {
      const { space_used_size } = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space');
      console.log(space_used_size);
    }, 500);`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })) / 1e6;
}

test('what the start leaves behind is collected once it is over, and not when V8 gets round to it', () => {
  expect(megabytesInUse('')).toBeGreaterThan(15);
  expect(megabytesInUse('collectAfterStart(1);')).toBeLessThan(10);
});
