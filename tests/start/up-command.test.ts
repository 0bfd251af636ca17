import { expect, test } from 'vitest';
import type { runCommand } from '../../scripts/up/process.js';

const BUILT = new URL('../../dist/scripts/up/process.js', import.meta.url).href;

test('a command under way is ended with its signal', async () => {
  const built = (await import(BUILT)) as { runCommand: typeof runCommand };
  const ending = new AbortController();
  const simulator = built.runCommand(['simulate', '--url', 'mqtt://127.0.0.1:9', '--meters', '1'], ending.signal);
  setTimeout(() => ending.abort(), 200);
  await expect(simulator).rejects.toThrow(/wattwarden simulate --url has ended/);
  await expect(built.runCommand(['simulate'], ending.signal)).rejects.toThrow('aborted');
});
