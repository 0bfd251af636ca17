import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import type { endOf, runCommand } from '../../scripts/up/process.js';

const BUILT = new URL('../../dist/scripts/up/process.js', import.meta.url).href;
const built = (await import(BUILT)) as { runCommand: typeof runCommand; endOf: typeof endOf };

test('a command under way is ended with its signal', async () => {
  // Takes the connection and says nothing, so that the command would wait.
  const broker = createServer();
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
  const address = broker.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const underWay = new Promise((resolve) => broker.once('connection', resolve));
  const ending = new AbortController();
  try {
    const simulator = built.runCommand(
      ['simulate', '--url', `mqtt://127.0.0.1:${port}`, '--meters', '1'],
      ending.signal,
    );
    await underWay;
    ending.abort();
    await expect(simulator).rejects.toThrow(/wattwarden simulate --url has ended/);
    await expect(built.runCommand(['simulate'], ending.signal)).rejects.toThrow('aborted');
  } finally {
    broker.close();
  }
});

test('a command that fails ends by itself', async () => {
  await expect(built.runCommand(['simulate', '--url', 'mqtt://127.0.0.1:9', '--meters', '1'])).rejects.toThrow(
    'code 1',
  );
});

test('how a process came to its end is told: with a code, or by whose signal', async () => {
  const run = (code: string) => spawn(process.execPath, ['-e', code], { stdio: 'ignore' });
  expect(await built.endOf(run('process.exit(3)'))).toEqual({ isWell: false, how: 'has ended with code 3' });
  expect(await built.endOf(run(''))).toMatchObject({ isWell: true });
  const killed = run('setInterval(() => undefined, 1_000)');
  killed.once('spawn', () => killed.kill('SIGKILL'));
  expect(await built.endOf(killed)).toEqual({ isWell: false, how: 'was ended by SIGKILL' });
});
