import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MODULE = fileURLToPath(new URL('../dist/agent/domain/start-garbage.js', import.meta.url));

/** Megabytes of old objects, a while after thirty of them were garbage but for a few, which lie scattered. */
function oldSpace(code: string): { readonly inUse: number; readonly held: number } {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { collectAfterStart } from '${MODULE}';
    let start = Array.from({ length: 500_000 }, (_, index) => ({ index }));
    const kept = start.filter(({ index }) => index % 200 === 0);
    start = undefined;
    ${code}
    setTimeout(() => {
      const old = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space');
      console.log(JSON.stringify({ inUse: old.space_used_size / 1e6, held: old.physical_space_size / 1e6, kept: kept.length }));
    }, 500);`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
}

test('what the start leaves behind is collected once it is over, and not when V8 gets round to it', () => {
  expect(oldSpace('').inUse).toBeGreaterThan(15);
  const { inUse, held } = oldSpace('collectAfterStart(1);');
  expect(inUse).toBeLessThan(10);
  expect(held - inUse).toBeLessThan(1);
});
