import { afterAll, beforeAll, expect, test } from 'vitest';
import { changeSeq, epochMs, type LogId, logId, type MeterId, parseMeterId, seq } from '../../agent/domain/brand.js';
import { invariant } from '../../agent/domain/errors.js';
import { endOf } from '../../agent/domain/ranges.js';
import type {
  Settled,
  StoredAnomaly,
  StoredForecast,
  StoredReading,
  StoredSlot,
  StreamName,
  Streams,
} from '../../agent/domain/stored.js';
import { encodeRows } from '../contract/array-literal.js';
import { openTestCentre, type TestCentre, type TestDatabase } from '../timescale/centre.fixture.js';
import { type CentreLink, createCentreLink } from '../timescale/centre-link.js';
import { centreError } from '../timescale/failure.js';
import { createPush, type PushOptions, type PushSource } from './push.js';

const LOG = logId('log-a');
const START_MS = Date.UTC(2026, 4, 1);
const never = new AbortController().signal;

let centre: TestCentre;
let database: TestDatabase;
const links: CentreLink[] = [];

beforeAll(async () => {
  centre = await openTestCentre();
});
afterAll(async () => {
  for (const link of links) await link.close();
  await centre.stop();
});

function meterId(text: string): MeterId {
  const meter = parseMeterId(text);
  invariant(meter !== undefined, text);
  return meter;
}

const reading = (at: number, powerDw: number | null = 1_000 + at, position = at): StoredReading => ({
  seq: seq(position),
  meter: meterId(`m-${at % 3}`),
  takenAtMs: epochMs(START_MS + at * 10_000 + 123),
  timeSource: at % 2 === 0 ? 'meter' : 'gateway',
  receivedAtMs: epochMs(START_MS + at * 10_000 + 456),
  powerDw,
  importDwh: 9_000_000_000_000 + at,
  exportDwh: null,
  voltageCv: 23_012,
  currentMa: -4_500,
  powerFactorPm: 981,
  frequencyChz: 5_001,
  flags: 0,
});

const slot = (change: number, revision: number, energyMwh: number): StoredSlot => ({
  changeSeq: changeSeq(change),
  revision,
  meter: meterId('m-1'),
  slotStartMs: epochMs(START_MS),
  slotMinutes: 5,
  energyMwh,
  meanPowerDw: 10,
  minPowerDw: 5,
  maxPowerDw: 20,
  count: 30,
  coveragePm: 1_000,
  minVoltageCv: null,
  maxVoltageCv: null,
  flags: 0,
  scoreE4: null,
  rawScoreE4: null,
  modelVersion: null,
});

const forecast: StoredForecast = {
  changeSeq: changeSeq(1),
  revision: 1,
  meter: meterId('m-1'),
  issuedSlotMs: epochMs(START_MS),
  modelVersion: 'v1',
  packed: Uint8Array.of(0, 1, 0x5c, 0x22, 0xff),
};

const anomaly: StoredAnomaly = {
  changeSeq: changeSeq(2),
  revision: 1,
  meter: meterId('m-1'),
  slotStartMs: epochMs(START_MS),
  scoreE4: 9_100,
  rawScoreE4: 6_100,
  type: 'low_consumption',
  expectedMwh: 100_000,
  actualMwh: 4_000,
  contributions: '[{"feature":"ratio \\\\ \\"24 h\\"","share":0.5}]',
  circumstances: '{"mean24hW":412.5,"hour":23,"weekend":true}',
  sentence: 'Drew 4 Wh, "expected" {100} \\ Wh, NULL — on a Monday.',
  modelVersion: 'v1',
};

type Held = { readonly [S in StreamName]?: readonly Streams[S][] };

const positionOf = (row: { readonly seq: number } | { readonly changeSeq: number }): number =>
  'seq' in row ? row.seq : row.changeSeq;

function sourceOf(held: Held, settled: Partial<Record<StreamName, Settled>> = {}, log: LogId = LOG): PushSource {
  return {
    logId: log,
    stream<S extends StreamName>(name: S, after: number, limit: number, upTo: number) {
      const rows: readonly Streams[S][] = held[name] ?? [];
      return rows.filter((row) => positionOf(row) > after && positionOf(row) <= upTo).slice(0, limit);
    },
    head: () => ({
      seq: Math.max(0, ...(held.reading ?? []).map(positionOf)),
      changeSeq: Math.max(
        0,
        ...[held.slot, held.forecast, held.anomaly].flatMap((rows) => (rows ?? []).map(positionOf)),
      ),
    }),
    settled: (name) => settled[name] ?? { logId: log, ranges: [] },
  };
}

async function openGateway() {
  database = await centre.openDatabase();
  return { ...database, gateway: await linkToNewGateway() };
}

async function linkToNewGateway() {
  const { name, address } = await database.addGateway();
  const link = createCentreLink(() => address);
  links.push(link);
  return { name, link };
}

function pushTo(
  link: PushOptions['centre'],
  source: PushSource,
  batchRows = 1_000,
  setAside: NonNullable<PushOptions['setAside']> = () => undefined,
) {
  const settled: { readonly stream: StreamName; readonly logId: LogId; readonly upTo: number }[] = [];
  const settle = (stream: StreamName, { logId, ranges }: Settled) =>
    void settled.push({ stream, logId, upTo: endOf(ranges) });
  const counted = { sent: 0, rejected: 0 };
  const metrics = {
    sent(_stream: StreamName, rows: number) {
      counted.sent += rows;
    },
    rejected() {
      counted.rejected += 1;
    },
  };
  return { settled, counted, push: createPush({ source, centre: link, settle, metrics, setAside, batchRows }) };
}

const acceptedOf = async (connection: TestDatabase['connection'], stream: StreamName) => {
  const sql = 'select accepted::text as a from wattwarden_data.position where stream = $1';
  return (await connection.query(sql, [stream]))[0]?.['a'];
};

const send = <S extends StreamName>(
  link: CentreLink,
  stream: S,
  rows: readonly Streams[S][],
  [after, upTo]: number[],
) => link.call(`push_${stream}`, [LOG, after, upTo, ...encodeRows(stream, rows)]);

const count = async (table: string) => {
  const [row] = await database.connection.query(`select count(*) as n from wattwarden_data.${table}`);
  return row?.['n'];
};

test('rows of all four streams arrive as they are stored, in batches, once', async () => {
  const { gateway, connection } = await openGateway();
  const readings = Array.from({ length: 25 }, (_, index) => reading(index + 1));
  const earlier: StoredAnomaly = { ...anomaly, changeSeq: changeSeq(3), meter: meterId('m-2'), circumstances: null };
  const source = sourceOf({
    reading: readings,
    slot: [slot(1, 1, 5)],
    forecast: [forecast],
    anomaly: [anomaly, earlier],
  });
  const { push, settled } = pushTo(gateway.link, source, 10);
  expect(await push.pushOnce(never)).toEqual({ sent: 14, more: true });
  expect(await push.pushOnce(never)).toEqual({ sent: 10, more: true });
  expect(await push.pushOnce(never)).toEqual({ sent: 5, more: false });
  expect(await push.pushOnce(never)).toEqual({ sent: 0, more: false });
  expect(settled.filter(({ stream }) => stream === 'reading').map(({ upTo }) => upTo)).toEqual([10, 20, 25]);
  expect(await count('reading')).toBe(25);

  const [first] = await connection.query(
    `select seq, meter, (extract(epoch from taken_at) * 1000)::bigint as taken_at_ms, time_source, power_dw, import_dwh,
            export_dwh, current_ma, power_factor_pm from wattwarden_data.reading where seq = 7`,
  );
  expect(first).toEqual({
    seq: 7,
    meter: 'm-1',
    taken_at_ms: START_MS + 70_123,
    time_source: 'gateway',
    power_dw: 1_007,
    import_dwh: 9_000_000_000_007,
    export_dwh: null,
    current_ma: -4_500,
    power_factor_pm: 981,
  });
  const [row] = await connection.query(
    `select sentence, contributions, circumstances from wattwarden.anomaly where meter = 'm-1'`,
  );
  expect(row).toEqual({
    sentence: anomaly.sentence,
    contributions: [{ feature: 'ratio \\ "24 h"', share: 0.5 }],
    circumstances: { mean24hW: 412.5, hour: 23, weekend: true },
  });
  const [none] = await connection.query(`select circumstances from wattwarden.anomaly where meter = 'm-2'`);
  expect(none).toEqual({ circumstances: null });
  const [packed] = await connection.query('select packed from wattwarden_data.forecast');
  expect(packed?.['packed']).toEqual(Buffer.from(forecast.packed));
  const [view] = await connection.query(
    `select gateway, power_w::float8, voltage_v::float8 from wattwarden.reading where meter = 'm-1' order by taken_at limit 1`,
  );
  expect(view).toEqual({ gateway: gateway.name, power_w: 100.1, voltage_v: 230.12 });
});

test('the same batch twice, and one that overlaps it, change nothing and leave one range', async () => {
  const { gateway, connection } = await openGateway();
  const rows = Array.from({ length: 10 }, (_, index) => reading(index + 1));
  await send(gateway.link, 'reading', rows.slice(0, 6), [0, 6]);
  const before = await connection.query('select * from wattwarden_data.reading order by seq');
  expect(await send(gateway.link, 'reading', rows.slice(0, 6), [0, 6])).toEqual([{ push_reading: 0 }]);
  expect(await connection.query('select * from wattwarden_data.reading order by seq')).toEqual(before);
  await send(gateway.link, 'reading', rows.slice(3), [3, 10]);
  expect(await count('reading')).toBe(10);
  const [position] = await connection.query(
    `select stream, log, accepted::text, batches, rows from wattwarden.position`,
  );
  expect(position).toEqual({ stream: 'reading', log: LOG, accepted: '{[1,11)}', batches: 3, rows: 19 });
});

test('live rows may overtake a backlog: two ranges, which join when the gap is filled', async () => {
  const { gateway, connection } = await openGateway();
  const accepted = async () =>
    (await connection.query('select accepted::text as a from wattwarden_data.position'))[0]?.['a'];
  await send(gateway.link, 'reading', [reading(1)], [0, 1]);
  await send(gateway.link, 'reading', [reading(9)], [8, 9]);
  expect(await accepted()).toBe('{[1,2),[9,10)}');
  await send(gateway.link, 'reading', [reading(5)], [1, 8]);
  expect(await accepted()).toBe('{[1,10)}');
});

test('of two readings of one meter and time the first sequence stands, in whatever order they come', async () => {
  const { gateway, connection } = await openGateway();
  await send(gateway.link, 'reading', [reading(1, 222, 20), reading(1, 111, 19)], [18, 20]);
  const power = async () => (await connection.query('select power_dw, seq from wattwarden_data.reading'))[0];
  expect(await power()).toEqual({ power_dw: 111, seq: 19 });
  await send(gateway.link, 'reading', [reading(1, 333, 25)], [20, 25]);
  expect(await power()).toEqual({ power_dw: 111, seq: 19 });
  await send(gateway.link, 'reading', [reading(1, 99, 5)], [4, 5]);
  expect(await power()).toEqual({ power_dw: 99, seq: 5 });
});

test('the higher revision of a slot stands; of one revision the later change', async () => {
  const { gateway, connection } = await openGateway();
  const energy = async () => (await connection.query('select energy_mwh as e from wattwarden_data.slot'))[0]?.['e'];
  await send(gateway.link, 'slot', [slot(1, 1, 100), slot(4, 2, 200)], [0, 4]);
  expect(await energy()).toBe(200);
  await send(gateway.link, 'slot', [slot(5, 1, 150)], [4, 5]);
  expect(await energy()).toBe(200);
  await send(gateway.link, 'slot', [{ ...slot(9, 2, 200), scoreE4: 700 }], [5, 9]);
  expect(await connection.query('select score_e4, energy_mwh from wattwarden_data.slot')).toEqual([
    { score_e4: 700, energy_mwh: 200 },
  ]);
  await send(gateway.link, 'slot', [slot(4, 2, 200)], [3, 4]);
  expect((await connection.query('select score_e4 from wattwarden_data.slot'))[0]).toEqual({ score_e4: 700 });
  await send(gateway.link, 'slot', [slot(12, 3, 300)], [9, 12]);
  expect(await energy()).toBe(300);
});

test('two gateways with the same meter and log keep their rows apart', async () => {
  const { gateway, connection } = await openGateway();
  const other = await linkToNewGateway();
  await send(gateway.link, 'reading', [reading(1, 11)], [0, 1]);
  await send(other.link, 'reading', [reading(1, 22)], [0, 1]);
  const rows = await connection.query('select gateway, (power_w * 10)::int as dw from wattwarden.reading order by dw');
  expect(rows).toEqual([
    { gateway: gateway.name, dw: 11 },
    { gateway: other.name, dw: 22 },
  ]);
});

test('a role that is no gateway is refused by the functions themselves', async () => {
  await openGateway();
  const link = createCentreLink(() => database.address);
  links.push(link);
  await expect(link.call('latest_release', [])).rejects.toMatchObject({
    code: 'centre.refused',
    cause: { code: 'WW401' },
  });
});

test.each<[string, (columns: string[]) => readonly unknown[]]>([
  ['columns of different length', (columns) => [LOG, 0, 2, '{1}', ...columns.slice(1)]],
  ['a column that is null', (columns) => [LOG, 0, 2, columns[0], null, ...columns.slice(2)]],
  ['a row outside the range', (columns) => [LOG, 1, 2, ...columns]],
  ['an empty range', (columns) => [LOG, 2, 2, ...columns]],
  [
    'too many rows',
    (columns) => [LOG, 0, 2, `{${Array.from({ length: 50_001 }, () => 1).join()}}`, ...columns.slice(1)],
  ],
])('%s: refused with a reason, and nothing is stored', async (_what, values) => {
  const { gateway } = await openGateway();
  const columns = encodeRows('reading', [reading(1), reading(2)]);
  await expect(gateway.link.call('push_reading', values(columns))).rejects.toMatchObject({
    code: 'centre.rejected_batch',
    cause: { code: 'WW400' },
  });
  expect(await count('reading')).toBe(0);
  expect(await count('position')).toBe(0);
});

test.each([null, 'x'.repeat(65)])('a log without a proper name concerns the gateway and no row: %s', async (log) => {
  const { gateway } = await openGateway();
  const columns = encodeRows('reading', [reading(1)]);
  await expect(gateway.link.call('push_reading', [log, 0, 1, ...columns])).rejects.toMatchObject({
    code: 'centre.refused',
    cause: { code: 'WW401' },
  });
});

test('a log with too many gaps concerns the gateway and no row', async () => {
  const { gateway, connection } = await openGateway();
  await send(gateway.link, 'reading', [reading(1)], [0, 1]);
  await connection.query(`update wattwarden_data.position set accepted =
    (select range_agg(int8range(at * 10, at * 10 + 1)) from generate_series(1, 10000) at)`);
  const { push, settled } = pushTo(gateway.link, sourceOf({ reading: [reading(2)] }));
  await expect(push.pushOnce(never)).rejects.toMatchObject({ code: 'centre.refused' });
  expect(settled).toEqual([]);
});

test('one row that the centre will not have is set aside by name, and its stream goes on', async () => {
  const { gateway, connection } = await openGateway();
  const bad = { ...reading(317), flags: 2 ** 40 };
  const readings = Array.from({ length: 500 }, (_, index) => (index === 316 ? bad : reading(index + 1)));
  const source = sourceOf({ reading: readings, anomaly: [anomaly] });
  const aside: unknown[] = [];
  const { push, settled, counted } = pushTo(gateway.link, source, 500, (...row) => aside.push(row));
  expect(await push.pushOnce(never)).toEqual({ sent: 500, more: true });
  expect(await push.pushOnce(never)).toEqual({ sent: 0, more: false });
  expect(aside).toEqual([['reading', bad, expect.stringContaining('22003')]]);
  expect(counted).toEqual({ sent: 500, rejected: 1 });
  expect(settled.at(-2)).toEqual({ stream: 'reading', logId: LOG, upTo: 500 });
  expect(await count('reading')).toBe(499);
  expect(await acceptedOf(connection, 'reading')).toBe('{[1,317),[318,501)}');
});

test('of a stream of bad rows only a few are set aside in a turn, which then fails; other streams go on', async () => {
  const { gateway } = await openGateway();
  const bad = Array.from({ length: 40 }, (_, index) => ({
    ...slot(index + 1, 1, 1),
    slotStartMs: epochMs(START_MS + index * 300_000),
    coveragePm: 1_000_000,
  }));
  const source = sourceOf({ slot: bad, anomaly: [anomaly] });
  const aside: unknown[] = [];
  const { push, settled } = pushTo(gateway.link, source, 100, (_stream, row) => aside.push(row));
  await expect(push.pushOnce(never)).rejects.toMatchObject({ code: 'centre.rejected_batch', message: /^slot: / });
  expect(aside).toEqual(bad.slice(0, 4));
  expect(settled.at(-1)?.stream).toBe('anomaly');
  await expect(push.pushOnce(never)).rejects.toMatchObject({ code: 'centre.rejected_batch' });
  expect(aside).toEqual(bad.slice(0, 8));
});

test('a batch that comes at a bad time is neither halved nor set aside', async () => {
  const calls: string[] = [];
  const busy = {
    call: async (name: string) => {
      calls.push(name);
      if (name === 'push_reading') throw centreError(new Error('no space left'), '53100');
      return [];
    },
  };
  const source = sourceOf({ reading: [reading(1), reading(2)], anomaly: [anomaly] });
  const { push, settled, counted } = pushTo(busy, source);
  await expect(push.pushOnce(never)).rejects.toMatchObject({ code: 'centre.busy', message: /^reading: / });
  expect(calls).toEqual(['push_reading', 'push_anomaly']);
  expect(settled.map(({ stream }) => stream)).toEqual(['anomaly']);
  expect(counted.rejected).toBe(0);
});

test('the energy of a feeder that was counted in one slot has a mean power beyond 32 bits', async () => {
  const { gateway, connection } = await openGateway();
  const large = { ...slot(1, 1, 25_000_000_000), meanPowerDw: 3_000_000_600, maxPowerDw: 3_000_000_600 };
  const held = sourceOf({ slot: [large], reading: [reading(1, 4_000_000_000)] });
  expect(await pushTo(gateway.link, held).push.pushOnce(never)).toEqual({ sent: 2, more: false });
  const [row] = await connection.query('select mean_power_w::float8, max_power_w::float8 from wattwarden.slot');
  expect(row).toEqual({ mean_power_w: 300_000_060, max_power_w: 300_000_060 });
});

test('readings that the buffer lost before they were sent are no part of what the centre says it has', async () => {
  const { gateway, connection } = await openGateway();
  const readings = [3, 4, 5, 9, 10, 20].map((at) => reading(at));
  const { push, settled } = pushTo(gateway.link, sourceOf({ reading: readings }));
  expect(await push.pushOnce(never)).toEqual({ sent: 6, more: false });
  expect(await acceptedOf(connection, 'reading')).toBe('{[3,6),[9,11),[20,21)}');
  expect(settled.map(({ upTo }) => upTo)).toEqual([5, 10, 20]);
});

test('more gaps than one turn has calls for are a matter of several turns', async () => {
  const { gateway } = await openGateway();
  const readings = Array.from({ length: 100 }, (_, index) => reading(2 * index + 1));
  const { push } = pushTo(gateway.link, sourceOf({ reading: readings }));
  expect(await push.pushOnce(never)).toEqual({ sent: 64, more: true });
  expect(await push.pushOnce(never)).toEqual({ sent: 36, more: false });
});

test('after a restart it goes on where the writer knows the stream to be settled; a new log begins at its beginning', async () => {
  const { gateway } = await openGateway();
  const rows = Array.from({ length: 6 }, (_, index) => reading(index + 1));
  const resumed = pushTo(
    gateway.link,
    sourceOf({ reading: rows }, { reading: { logId: LOG, ranges: [{ after: 0, upTo: 4 }] } }),
  );
  expect(await resumed.push.pushOnce(never)).toEqual({ sent: 2, more: false });
  const other = sourceOf({ reading: rows }, { reading: { logId: logId('older'), ranges: [{ after: 0, upTo: 4 }] } });
  expect(await pushTo(gateway.link, other).push.pushOnce(never)).toEqual({ sent: 6, more: false });
  expect(await count('reading')).toBe(6);
});

test('a session that the centre ended is replaced at the next turn', async () => {
  const { gateway, connection } = await openGateway();
  const { push } = pushTo(gateway.link, sourceOf({ reading: [reading(1)] }));
  await gateway.link.call('hello', []);
  const ended = await connection.query(
    `select pg_terminate_backend(pid, 5000) as done from pg_stat_activity where usename = 'gw_${gateway.name}'`,
  );
  expect(ended).toEqual([{ done: true }]);
  await push.pushOnce(never).catch((error: unknown) => expect(error).toMatchObject({ code: 'centre.unreachable' }));
  await push.pushOnce(never);
  expect(await count('reading')).toBe(1);
});

test('an aborted turn ends at once, though the centre hangs', async () => {
  const { gateway, connection } = await openGateway();
  await gateway.link.call('hello', []);
  await connection.query('begin; lock table wattwarden_data.reading in exclusive mode');
  const abort = new AbortController();
  const turn = pushTo(gateway.link, sourceOf({ reading: [reading(1)] })).push.pushOnce(abort.signal);
  const ended = expect(turn).rejects.toMatchObject({ code: 'centre.unreachable' });
  await waitingForLock(connection);
  abort.abort();
  await ended;
  await connection.query('rollback');
});

async function waitingForLock(connection: TestDatabase['connection']): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const [row] = await connection.query('select count(*) as n from pg_locks where not granted');
    if (Number(row?.['n']) > 0) return;
  }
  throw new Error('nobody waits for the lock');
}
