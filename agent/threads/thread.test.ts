import { existsSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../tests/kit/until.js';
import { damageOf } from '../buffer/damage.js';
import { seededRandom, systemClock } from '../domain/clock.js';
import { silentLogger } from '../domain/log.js';
import type { Traffic } from './channel.js';
import { createThread, type Thread } from './thread.js';

interface Words extends Traffic {
  readonly message: string;
  readonly ask: string;
  readonly answer: string;
}

const NEVER_ABORTED = new AbortController().signal;
let dir = '';
let heard: string[] = [];
let restarts = 0;
let thread: Thread<Words>;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ww-thread-'));
  heard = [];
  restarts = 0;
});
afterEach(async () => {
  await thread.stop(NEVER_ABORTED);
  await rm(dir, { recursive: true });
});

/** A worker that speaks the protocol of channel.ts, written out. */
async function create(code: string, mend?: (cause: unknown) => boolean): Promise<Thread<Words>> {
  const entry = join(dir, 'worker.mjs');
  await writeFile(
    entry,
    `import { parentPort, workerData } from 'node:worker_threads';
     const say = (body) => parentPort.postMessage({ type: 'message', body });
     const ready = () => parentPort.postMessage({ type: 'ready' });
     const answer = (id, body) => parentPort.postMessage({ type: 'answer', id, body });
     ${code}`,
  );
  thread = createThread<Words, Words>(
    {
      name: 'test',
      entry: pathToFileURL(entry),
      data: { dir },
      receiver: { onMessage: (message) => heard.push(message), onAsk: async (ask) => `${ask} from main` },
      onRestart: () => {
        restarts += 1;
      },
      ...(mend !== undefined && { mend }),
    },
    { clock: systemClock, random: seededRandom(1), log: silentLogger },
  );
  return thread;
}

const POLITE = `
  parentPort.on('message', ({ type, id, body }) => {
    if (type === 'stop') parentPort.close();
    if (type === 'ask' && body !== 'silence') answer(id, body + '!');
    if (type === 'message' && body === 'die') throw new Error('as told');
    if (type === 'message') say('heard ' + body);
    if (type === 'answer') say('answered ' + body);
  });
  parentPort.postMessage({ type: 'ask', id: 1, body: 'a word' });
  ready();`;

test('a renewed thread starts anew at once, which is no failure', async () => {
  await create(`
    parentPort.on('message', (envelope) => {
      if (envelope.type === 'ask') answer(envelope.id, String(workerData.isRestart));
      if (envelope.type === 'stop') parentPort.close();
    });
    ready();`);
  await thread.start();
  expect(await thread.ask('restarted?', 5_000)).toBe('false');
  thread.renew();
  await until('it is another', async () => (await thread.ask('restarted?', 500)) === 'true');
  expect(restarts).toBe(0);
});

test('a thread that is renewed before it has started starts anew, and whoever waits for its start goes on waiting', async () => {
  await create(`
    import { existsSync, writeFileSync } from 'node:fs';
    const mark = workerData.dir + '/began';
    const isFirst = !existsSync(mark);
    writeFileSync(mark, '');
    parentPort.on('message', ({ type }) => type === 'stop' && !isFirst && parentPort.close());
    if (!isFirst) ready();`);
  const started = thread.start();
  await until('it has begun', () => existsSync(join(dir, 'began')));
  thread.renew();
  await started;
  expect(restarts).toBe(0);
});

test('what keeps a thread from its first start can be mended, and it starts once more', async () => {
  await create(
    `import { existsSync } from 'node:fs';
     if (!existsSync(workerData.dir + '/mended')) throw Object.assign(new Error('bad'), { code: 'SQLITE_CORRUPT' });
     parentPort.on('message', ({ type }) => type === 'stop' && parentPort.close());
     ready();`,
    (cause) => {
      writeFileSync(join(dir, 'mended'), '');
      return damageOf(cause) !== undefined;
    },
  );
  await thread.start();
  expect(restarts).toBe(0);
});

test('messages and questions cross in both directions', async () => {
  await (await create(POLITE)).start();
  thread.post('hello');
  expect(await thread.ask('well', 1_000)).toBe('well!');
  await until('both messages are heard', () => heard.length === 2);
  expect(heard.sort()).toEqual(['answered a word from main', 'heard hello']);
});

test('a question that nobody answers is given up, and one to a dead thread at once', async () => {
  await (await create(POLITE)).start();
  await expect(thread.ask('silence', 50)).rejects.toThrow('no answer in 50 ms');
  await thread.stop(NEVER_ABORTED);
  await expect(thread.ask('well', 1_000)).rejects.toMatchObject({ code: 'thread.died' });
});

test('a thread that dies is started again', async () => {
  await (await create(POLITE)).start();
  thread.post('die');
  await until('it answers again', () => thread.ask('well', 500));
  expect(restarts).toBe(1);
});

test('a thread that cannot start says why, with the code it gave', async () => {
  await create(`throw Object.assign(new Error('127.0.0.1:1'), { code: 'port.in_use' });`);
  await expect(thread.start()).rejects.toMatchObject({ code: 'port.in_use', message: '127.0.0.1:1' });
  expect(restarts).toBe(0);
});

test('hurry ends a thread that does not end by itself', async () => {
  await (await create(`ready(); setInterval(() => undefined, 1_000);`)).start();
  const hurry = new AbortController();
  const stopped = thread.stop(hurry.signal);
  hurry.abort();
  await stopped;
});

test('a restarted thread that hangs before it is ready is told to stop, and then ended', async () => {
  const code = `
    import { writeFileSync } from 'node:fs';
    parentPort.on('message', ({ type }) => {
      if (type === 'message') throw new Error('as told');
      if (type === 'stop') writeFileSync(workerData.dir + '/stop-was-heard', '');
    });
    if (!workerData.isRestart) ready();
    else writeFileSync(workerData.dir + '/hangs', '');`;
  await (await create(code)).start();
  thread.post('die');
  await until('it is started again', () => existsSync(join(dir, 'hangs')));
  const hurry = new AbortController();
  const stopped = thread.stop(hurry.signal);
  await until('it has heard', () => existsSync(join(dir, 'stop-was-heard')));
  hurry.abort();
  await stopped;
});
