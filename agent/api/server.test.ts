import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { epochMs } from '../domain/brand.js';
import { type Clock, systemClock } from '../domain/clock.js';
import { silentLogger } from '../domain/log.js';
import { createMetrics } from '../domain/metrics.js';
import { createFakeSource } from './fake-source.js';
import { openServer, type Server, type ServerOptions } from './server.js';
import type { LiveView, ReadSource } from './source.js';
import type { Days, Health, Load, MeterList, Overview, Problem, Sparklines } from './wire.js';

const NOW_MS = Date.UTC(2025, 2, 4, 15, 2);
const clock: Clock = { ...systemClock, now: () => epochMs(NOW_MS) };

let assetsDir: string;
let server: Server | undefined;

beforeEach(async () => {
  assetsDir = await mkdtemp(join(tmpdir(), 'wattwarden-page-'));
  await writeFile(join(assetsDir, 'index.html'), '<!doctype html><title>page</title>');
  await writeFile(join(assetsDir, 'main.js'), 'export {};');
  await writeFile(join(assetsDir, 'secret.pem'), 'not for the web');
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(assetsDir, { recursive: true });
});

const liveView = (changes: Partial<LiveView> = {}): LiveView => ({
  metrics: [],
  connections: 3,
  startedAtMs: NOW_MS - 86_400_000,
  clock: { nowMs: NOW_MS, trust: { state: 'trusted', by: 'synchronised' }, held: 0, machineAheadMs: 12 },
  link: { state: 'connected', detail: '', lastSuccessMs: NOW_MS - 2_000 },
  bundle: { state: 'active', version: 'v7', precision: 'int8' },
  disk: {
    step: 'ample',
    sinceMs: NOW_MS,
    usableBytes: 9_400_000_000,
    ballastBytes: 33_554_432,
    walBytes: 0,
    dropped: 0,
    thinned: 0,
    growthPerDay: 24_000_000,
    autonomyDays: 391.7,
    writtenLastDay: 1_000_000_000,
    writtenPerDay: 1_200_000_000,
    cardLifeDays: 16_666,
    commitWindowMs: 20,
  },
  ...changes,
});

async function open(
  changes: Partial<ServerOptions> & { readonly view?: () => Promise<LiveView> } = {},
): Promise<Server> {
  server = await openServer({
    host: '127.0.0.1',
    port: 0,
    gateway: 'gateway-1',
    silence: {
      intervals: 4,
      atLeastMs: 900_000,
      atMostMs: 172_800_000,
      activeHours: { from: 0, to: 24 },
      meters: new Map(),
    },
    source: createFakeSource({ meters: 5, nowMs: NOW_MS }),
    live: { view: changes.view ?? (async () => liveView()) },
    metrics: createMetrics(),
    assetsDir,
    clock,
    log: silentLogger,
    ...changes,
  });
  return server;
}

async function get<Body>(path: string): Promise<{ status: number; body: Body; headers: Headers }> {
  const response = await fetch((server?.address ?? '') + path);
  return { status: response.status, body: (await response.json()) as Body, headers: response.headers };
}

async function raw(options: {
  method?: string;
  path?: string;
  host: string;
}): Promise<{ status: number; text: string }> {
  const { port } = new URL(server?.address ?? '');
  const { method = 'GET', path = '/api/v1/overview', host } = options;
  const sent = httpRequest({ port, host: '127.0.0.1', method, path, headers: { host }, agent: false }).end();
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, text };
}

test('the overview tells what is stored, what waits and that all is well', async () => {
  await open();
  const { status, body } = await get<Overview>('/api/v1/overview');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    gateway: 'gateway-1',
    nowMs: NOW_MS,
    readings: 1_284_310,
    backlog: { reading: 120 },
    meters: { known: 5, silent: 0 },
    link: { state: 'connected' },
    bundle: { state: 'active', version: 'v7', detail: 'int8' },
    health: { status: 'ok' },
  });
});

test('a main thread that does not answer makes /healthz fail, and the page still learns why', async () => {
  await open({ view: async () => await Promise.reject(new Error('no answer in 1000 ms')) });
  const health = await get<Health>('/healthz');
  expect(health.status).toBe(503);
  expect(health.body.checks.main).toEqual({ status: 'failing', detail: 'The main thread does not answer.' });
  const overview = await get<Overview>('/api/v1/overview');
  expect(overview.status).toBe(200);
  expect(overview.body).toMatchObject({ link: null, bundle: null, health: { status: 'failing' } });
});

test('a buffer that cannot be read makes /healthz fail', async () => {
  const fail = () => {
    throw new Error('disk I/O error');
  };
  const broken: ReadSource = { ...createFakeSource({ meters: 1, nowMs: NOW_MS }), meters: fail, backlog: fail };
  await open({ source: broken });
  const health = await get<Health>('/healthz');
  expect(health.status).toBe(503);
  expect(health.body.checks.buffer.detail).toContain('disk I/O error');
  const list = await get<Problem>('/api/v1/meters');
  expect(list.status).toBe(500);
  expect(list.body.code).toBe('internal');
  expect(list.body.message).not.toContain('disk');
});

test('a lost link and a silent meter degrade the health, in words', async () => {
  const link = { state: 'disconnected', detail: 'centre.unreachable', lastSuccessMs: NOW_MS - 3 * 3_600_000 } as const;
  await open({ source: createFakeSource({ meters: 9, nowMs: NOW_MS }), view: async () => liveView({ link }) });
  const { status, body } = await get<Health>('/healthz');
  expect(status).toBe(200);
  expect(body.status).toBe('degraded');
  expect(body.checks.meters.detail).toBe('1 of 9 meters is silent: house-7 (3 hours).');
  expect(body.checks.centre.detail).toBe(
    'No link to the centre for 3 hours (centre.unreachable); 170 rows wait in the buffer.',
  );
});

test('a long backlog is not counted with every look at the page, nor any where there is no centre', async () => {
  let counts = 0;
  let rows = 2_000_000;
  const source = createFakeSource({ meters: 1, nowMs: NOW_MS });
  const counting: ReadSource = {
    ...source,
    backlog: () => {
      counts += 1;
      return { ...source.backlog(), reading: rows };
    },
  };
  let state: 'off' | 'connected' = 'off';
  let nowMonotonicMs = 0;
  const stepped: Clock = { ...clock, monotonicMs: () => nowMonotonicMs };
  await open({
    clock: stepped,
    source: counting,
    view: async () => liveView({ link: { state, detail: '', lastSuccessMs: null } }),
  });
  expect((await get<Overview>('/api/v1/overview')).body.backlog.reading).toBe(0);
  expect(counts).toBe(0);
  state = 'connected';
  for (let i = 0; i < 5; i += 1) await get('/api/v1/overview');
  expect(counts).toBe(1);
  nowMonotonicMs += 10_000;
  rows = 3;
  for (let i = 0; i < 5; i += 1) await get('/api/v1/overview');
  expect(counts).toBe(6);
});

test('nobody is silent while the gateway itself has just started', async () => {
  await open({
    source: createFakeSource({ meters: 9, nowMs: NOW_MS }),
    view: async () => liveView({ startedAtMs: NOW_MS - 5_000 }),
  });
  expect((await get<Overview>('/api/v1/overview')).body.meters).toEqual({ known: 9, silent: 0 });
});

test('meters are filtered and cut on this side, in the order people count', async () => {
  await open({ source: createFakeSource({ meters: 1_000, nowMs: NOW_MS }) });
  const all = (await get<MeterList>('/api/v1/meters')).body;
  expect([all.known, all.matched, all.meters.length]).toEqual([1_000, 1_000, 100]);
  expect(all.meters.slice(0, 4).map((meter) => meter.id)).toEqual(['feeder-1', 'feeder-2', 'house-3', 'house-4']);
  const found = (await get<MeterList>('/api/v1/meters?q=HOUSE-77&limit=3')).body;
  expect([found.matched, found.meters.length]).toEqual([11, 3]);
});

test('the load of a meter carries its slots, its forecast in time order of the model and its anomalies', async () => {
  await open();
  const { status, body } = await get<Load>('/api/v1/meters/house-4/load?hours=24');
  expect(status).toBe(200);
  expect(body.slots.length).toBeGreaterThan(280);
  expect(body.slots.length).toBeLessThanOrEqual(288);
  expect(body.slots[0]?.startMs).toBe(body.fromMs);
  const issuedMs = NOW_MS - (NOW_MS % 300_000);
  expect(body.forecast?.spans[0]).toMatchObject({ fromMs: issuedMs, toMs: issuedMs + 300_000 });
  expect(body.forecast?.spans.at(-1)).toMatchObject({ toMs: issuedMs + 24 * 3_600_000 });
  expect(body.anomalies.every((anomaly) => anomaly.meter === 'house-4')).toBe(true);
});

test('the days of a meter hold their energy, and what they are covered by', async () => {
  await open();
  const { status, body } = await get<Days>('/api/v1/meters/house-4/days?days=3');
  expect(status).toBe(200);
  const [first, , today] = body.days;
  expect(body.fromMs + 3 * 86_400_000).toBeGreaterThan(NOW_MS);
  expect(body.days).toHaveLength(3);
  expect(first?.coverage).toBe(1);
  expect(first?.estimatedWh).toBe(0);
  expect(first?.energyWh).toBeGreaterThan(1_000);
  expect(today?.coverage).toBeLessThan(1);
});

test('sparklines leave gaps where nothing was measured', async () => {
  await open();
  const { body } = await get<Sparklines>('/api/v1/sparklines?ids=house-4,house-5');
  expect(body.series['house-4']).toHaveLength(96);
  expect(body.series['house-4']?.slice(0, 90)).not.toContain(null);
  expect(body.series['house-5']?.slice(0, 90)).toContain(null);
});

test.each([
  ['/api/v1/meters/none/load', 404, 'unknown_meter'],
  ['/api/v1/meters/%00/load', 400, 'bad_request'],
  ['/api/v1/meters/house-4/load?hours=1e9', 400, 'bad_request'],
  ['/api/v1/meters/none/days', 404, 'unknown_meter'],
  ['/api/v1/meters/house-4/days?days=401', 400, 'bad_request'],
  ['/api/v1/readings?limit=0', 400, 'bad_request'],
  ['/api/v1/readings?limit=1&limit=2', 400, 'bad_request'],
  ['/api/v1/readings?surprise=1', 400, 'bad_request'],
  ['/api/v1/anomalies?meter=../x', 400, 'bad_request'],
  [`/api/v1/sparklines?ids=${Array.from({ length: 26 }, (_, i) => `m${i}`).join(',')}`, 400, 'bad_request'],
  ['/api/v2/', 404, 'not_found'],
  ['/%', 400, 'bad_request'],
  ['/secret.pem', 404, 'not_found'],
  ['/..%2f..%2fetc/passwd', 404, 'not_found'],
])('%s is refused with %i %s', async (path, status, code) => {
  await open();
  const answer = await get<Problem>(path);
  expect(answer.status).toBe(status);
  expect(answer.body.code).toBe(code);
  expect(answer.body.message.length).toBeGreaterThan(10);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
});

test.each(['evil.example', 'evil.example:8088', 'localhost.evil.example', '127.0.0.1.evil.example', 'localhost:1x'])(
  'a request for host "%s" is not answered',
  async (host) => {
    await open();
    const { status, text } = await raw({ host });
    expect([421, 400]).toContain(status);
    expect(text).not.toContain('gateway-1');
  },
);

test.each(['localhost', 'LOCALHOST:8088', '127.0.0.1:4711', '[::1]:8088'])(
  'a request for host %s is answered',
  async (host) => {
    await open();
    expect((await raw({ host })).status).toBe(200);
  },
);

test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s is not allowed', async (method) => {
  await open();
  const { status, text } = await raw({ method, host: 'localhost' });
  expect(status).toBe(405);
  expect(JSON.parse(text)).toMatchObject({ code: 'method_not_allowed' });
});

test('the page comes with a policy that lets it load from here only, and is not sent twice', async () => {
  const { address } = await open();
  const first = await fetch(`${address}/`);
  expect(await first.text()).toContain('<title>page');
  const policy = first.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  expect(first.headers.get('referrer-policy')).toBe('no-referrer');
  const again = await fetch(`${address}/`, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } });
  expect(again.status).toBe(304);
});

test('/metrics holds the figures of both threads, and routes by their pattern', async () => {
  const main = createMetrics();
  main.inc('readings_stored_total', 12);
  const view = async () => liveView({ metrics: await main.toJson() });
  const { address } = await open({ view });
  await (await fetch(`${address}/api/v1/meters/house-4/load`)).text();
  await (await fetch(`${address}/nowhere/at/all`)).text();
  const response = await fetch(`${address}/metrics`);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  for (const line of [
    'wattwarden_readings_stored_total 12',
    'wattwarden_thread_answers{thread="main"} 1',
    'wattwarden_http_requests_total{route="/api/v1/meters/:id/load",status="200"} 1',
    'wattwarden_http_requests_total{route="none",status="404"} 1',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});

test('/metrics still answers without the main thread, and says that it is missing', async () => {
  const { address } = await open({ view: async () => await Promise.reject(new Error('no answer')) });
  const text = await (await fetch(`${address}/metrics`)).text();
  expect(text).toContain('wattwarden_thread_answers{thread="main"} 0\n');
  expect(text).toContain('wattwarden_thread_answers{thread="companion"} 1\n');
});

test('a port in use is named', async () => {
  const { address } = await open();
  const port = Number(new URL(address).port);
  const first = server;
  await expect(open({ port })).rejects.toMatchObject({ code: 'port.in_use', message: `http://127.0.0.1:${port}` });
  server = first;
});

test('closing does not wait for connections that stay open or requests that hang', async () => {
  let asked = false;
  const view = async () => {
    asked = true;
    return await new Promise<LiveView>(() => undefined);
  };
  const { address } = await open({ view });
  const { port } = new URL(address);
  const idle = connect(Number(port), '127.0.0.1');
  await once(idle, 'connect');
  const ended = once(idle.resume(), 'close');
  const hanging = fetch(`${address}/healthz`).catch(() => 'cut off');
  await expect.poll(() => asked).toBe(true);
  const startedMs = performance.now();
  await server?.close();
  server = undefined;
  expect(performance.now() - startedMs).toBeLessThan(1_000);
  expect(await hanging).toBe('cut off');
  await ended;
});
