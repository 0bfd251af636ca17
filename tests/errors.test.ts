import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { epochMs } from '../agent/domain/brand.js';
import { systemClock } from '../agent/domain/clock.js';
import { ERRORS, type ErrorCode } from '../agent/domain/errors.js';
import { inOrder, listenError } from '../agent/domain/lifecycle.js';
import { type Logger, silentLogger } from '../agent/domain/log.js';
import { WINDOW_SLOTS } from '../agent/domain/slot.js';
import { createThread } from '../agent/threads/thread.js';
import { loadSettings } from '../config/load.js';
import { readSecretFile } from '../config/secrets.js';
import { checkGolden } from '../models/bundle/golden.js';
import { parseManifest, readBundle } from '../models/bundle/read.js';
import { signManifest, verifyManifest } from '../models/bundle/signature.js';
import { unpackProgress } from '../models/forecast/train/checkpoint.js';

/** Fails with the code of its place in the table; or names the test that provokes it with the parts that it takes. */
type Provocation = (() => unknown) | { readonly in: string };

const BUFFER = { in: 'agent/buffer/buffer.test.ts' };
const SOURCE = { in: 'tests/real-clients/outside-broker.test.ts' };
const PUSH = { in: 'cloud-sync/push/push.test.ts' };

/** The compiler asks for a line for each code. */
const PROVOKED: Readonly<Record<ErrorCode, Provocation>> = {
  'config.unreadable': () => loadSettings({ file: join(directory, 'none.yaml'), env: {} }),
  'config.invalid': () => loadSettings({ env: { WATTWARDEN_MQTT_PORT: '70000' } }),
  'secret.unreadable': () => readSecretFile(join(directory, 'none')),
  'port.in_use': { in: 'agent/ingest/broker.test.ts' },
  'port.forbidden': () => listenOn('203.0.113.1'), // an address for documentation, which no machine has
  'clock.untrusted': { in: 'tests/faults/clock-process.test.ts' },
  'source.unreachable': SOURCE,
  'source.refused': SOURCE,
  'source.untrusted': SOURCE,
  'source.lost': SOURCE,
  'users.invalid': { in: 'agent/ingest/users-file.test.ts' },
  'tls.unusable': { in: 'agent/ingest/certificates.test.ts' },
  'buffer.unopenable': BUFFER,
  'buffer.in_use': BUFFER,
  'buffer.newer': BUFFER,
  'buffer.no_access': { in: 'tests/faults/refused-start.test.ts' },
  'buffer.damaged': BUFFER,
  'buffer.migration_failed': { in: 'agent/buffer/migration.test.ts' },
  'buffer.slot_width': { in: 'agent/buffer/slot-width.test.ts' },
  'buffer.write_failed': BUFFER,
  'export.exists': { in: 'tests/end-to-end/export.test.ts' },
  'export.unreadable': { in: 'tests/end-to-end/export.test.ts' },
  'export.bad_signature': { in: 'tests/end-to-end/export.test.ts' },
  'buffer.full': { in: 'agent/buffer/relief.test.ts' },
  'buffer.no_room': { in: 'tests/faults/full-disk.test.ts' },
  'bundle.unreadable': () => readBundle(join(directory, 'none')),
  'bundle.hash_mismatch': { in: 'cloud-sync/pull/pull.test.ts' },
  'bundle.bad_signature': () => verifySignedByAStranger(),
  'bundle.incompatible': () => parseManifest(Buffer.from('{ "format": 1000 }')),
  'bundle.older': { in: 'agent/model-store/store.test.ts' },
  'bundle.golden_mismatch': () => checkGoldenWithAWrongAnswer(),
  'model.no_data': { in: 'cloud-sync/retrain/centre-series.test.ts' },
  'training.unreadable': () => unpackProgress(Buffer.from('no checkpoint'), { purpose: '', name: 'checkpoint' }),
  'centre.unreachable': PUSH,
  'centre.refused': PUSH,
  'centre.untrusted': { in: 'cloud-sync/timescale/failure.test.ts' },
  'centre.incompatible': { in: 'cloud-sync/timescale/failure.test.ts' },
  'centre.rejected_batch': PUSH,
  'centre.busy': { in: 'cloud-sync/timescale/failure.test.ts' },
  'release.exists': { in: 'cloud-sync/release/release.test.ts' },
  'gateway.exists': { in: 'cloud-sync/commands/commands.test.ts' },
  'gateway.not_running': { in: 'agent/ops/control.test.ts' },
  'stop.straggler': () => stopAPartThatNeverStops(),
  'thread.died': () => startAThreadThatEnds(),
  'install.missing_part': { in: 'tests/install.test.ts' },
};

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wattwarden-errors-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const root = new URL('..', import.meta.url);
const text = (file: string): string => readFileSync(new URL(file, root), 'utf8');

describe.each(Object.entries(PROVOKED))('%s', (code, provoked) => {
  test('happens', async () => {
    if (typeof provoked === 'function') return await expect(failing(provoked)).rejects.toMatchObject({ code });
    expect(existsSync(new URL(provoked.in, root)), `${provoked.in} is there`).toBe(true);
    expect(text(provoked.in)).toMatch(new RegExp(`['"]${code.replace('.', '\\.')}['"]`));
  });

  test('says what is wrong and what to do, here and in docs/errors.md', () => {
    const { hint, action } = ERRORS[code as ErrorCode];
    expect(hint).toMatch(/^[A-Z].{10,}\.$/);
    expect(action).toMatch(/^[A-Z].{10,}[.)]$/);
    expect(text('docs/errors.md')).toContain(`\n## ${code}\n\n${hint}\n\n**What to do:** ${action}\n`);
  });
});

/** Thrown at once or later, it is a rejection here. */
async function failing(provoked: () => unknown): Promise<unknown> {
  return await provoked();
}

async function listenOn(host: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host)));
    server.listen({ host, port: 0 }, resolve);
  });
  server.close();
}

function verifySignedByAStranger(): void {
  const pem = () => generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const manifest = Buffer.from('{}');
  const ours = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x ?? '';
  verifyManifest(manifest, signManifest(manifest, pem()), [Buffer.from(ours, 'base64url').toString('base64')]);
}

async function checkGoldenWithAWrongAnswer(): Promise<void> {
  const endMs = epochMs(0);
  const values = new Float32Array(WINDOW_SLOTS).fill(100);
  const right = Float32Array.of(100, 200);
  const window = { endMs, values };
  const golden = { cases: [{ history: { window }, int8: right, float32: right }] };
  const predict = async () => [{ watts: Float32Array.of(100, 900) }];
  await checkGolden({ version: 'v1', golden }, { precision: 'int8', predict });
}

async function stopAPartThatNeverStops(): Promise<void> {
  const logged: unknown[] = [];
  const log: Logger = { ...silentLogger, error: (fields) => logged.push(fields) };
  const part = { name: 'stuck', start: async () => undefined, stop: () => new Promise<void>(() => undefined) };
  const lifecycle = inOrder([part], { clock: systemClock, log, stopDeadlineMs: 1 });
  await lifecycle.start();
  expect(await lifecycle.stop()).toEqual({ stragglers: ['stuck'], failures: [] });
  throw Object.assign(new Error('logged'), logged[0]);
}

async function startAThreadThatEnds(): Promise<void> {
  const entry = new URL('data:text/javascript,process.exit(0)');
  const surroundings = { clock: systemClock, random: () => 0, log: silentLogger };
  const receiver = { onMessage: () => undefined, onAsk: async () => undefined };
  await createThread({ name: 'short', entry, data: {}, receiver, onRestart: () => undefined }, surroundings).start();
}
