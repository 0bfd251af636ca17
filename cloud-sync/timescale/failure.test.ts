import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../tests/kit/until.js';
import { openTestCentre, type TestCentre } from './centre.fixture.js';
import { createCentreLink } from './centre-link.js';
import { type CentreAddress, connect } from './connection.js';
import { centreError } from './failure.js';

let centre: TestCentre;
const certificates = mkdtempSync(join(tmpdir(), 'wattwarden-tls-'));
beforeAll(async () => {
  centre = await openTestCentre();
});
afterAll(async () => {
  rmSync(certificates, { recursive: true });
  await centre.stop();
});

test('a wrong password and an unknown role are refused', async () => {
  const { address } = await centre.openDatabase();
  await expect(connect({ ...address, password: 'guessed' })).rejects.toMatchObject({ code: 'centre.refused' });
  await expect(connect({ ...address, user: 'nobody-here' })).rejects.toMatchObject({ code: 'centre.refused' });
});

test('a database that is missing, or in which nothing was initialised, is incompatible', async () => {
  const { address } = await centre.openEmptyDatabase();
  await expect(connect({ ...address, database: 'missing' })).rejects.toMatchObject({ code: 'centre.incompatible' });
  await expect(createCentreLink(() => address).call('hello', [])).rejects.toMatchObject({
    code: 'centre.incompatible',
  });
});

test('a missing function and another contract are incompatible', async () => {
  const { connection, addGateway } = await centre.openDatabase();
  const { address } = await addGateway();
  const link = createCentreLink(() => address);
  await connection.query('drop function wattwarden_api.latest_release()');
  await expect(link.call('latest_release', [])).rejects.toMatchObject({ code: 'centre.incompatible' });
  await link.close();
  await connection.query(`
    drop function wattwarden_api.hello();
    create function wattwarden_api.hello() returns table (contract_version integer) language sql as 'select 2';
    grant execute on function wattwarden_api.hello() to wattwarden_gateway`);
  const later = createCentreLink(() => address);
  await expect(later.call('hello', [])).rejects.toMatchObject({
    code: 'centre.incompatible',
    message: 'contract 2 there, 1 here',
  });
  await later.close();
});

test('who shares a session asks in turn, and whoever gives up before its turn leaves the others theirs', async () => {
  const { connection, addGateway } = await centre.openDatabase();
  const { address } = await addGateway();
  const link = createCentreLink(() => address);
  const warnings: string[] = [];
  const onWarning = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', onWarning);
  await link.call('hello', []);
  await connection.query('begin');
  await connection.query('lock table wattwarden_data.release');
  const slow = link.call('latest_release', []);
  const abort = new AbortController();
  const impatient = expect(link.call('hello', [], abort.signal)).rejects.toMatchObject({ code: 'centre.unreachable' });
  const patient = link.call('hello', []);
  abort.abort();
  await impatient;
  await connection.query('rollback');
  expect(await slow).toEqual([]);
  expect(await patient).toHaveLength(1);
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
  await link.close();
});

test('a server that stopped is unreachable: for a session under way, and for a new one', async () => {
  const stopping = await openTestCentre({ pristine: true });
  const { address } = await stopping.openEmptyDatabase();
  const session = await connect(address);
  const query = expect(session.query('select pg_sleep(60)')).rejects.toMatchObject({ code: 'centre.unreachable' });
  await stopping.stop();
  await query;
  expect(session.usable()).toBe(false);
  await session.close();
  await expect(connect(address)).rejects.toMatchObject({
    code: 'centre.unreachable',
    cause: { code: 'ECONNREFUSED' },
  });
});

test('a server that never answers is given up after the time allowed', async () => {
  const { address } = await centre.openDatabase();
  const hasty = await connect(address, { queryTimeoutMs: 50 });
  await expect(hasty.query('select pg_sleep(60)')).rejects.toMatchObject({ code: 'centre.unreachable' });
  expect(hasty.usable()).toBe(false);
  await hasty.close();
});

test('a failed transaction leaves nothing behind, and the session serves on', async () => {
  const { connection } = await centre.openDatabase();
  const work = connection.transaction(async () => {
    await connection.query('create table half (a integer)');
    throw new Error('changed my mind');
  });
  await expect(work).rejects.toThrow('changed my mind');
  expect(await connection.query(`select to_regclass('half') as half`)).toEqual([{ half: null }]);
});

test('a session in a transaction that is none of ours is replaced; one that ran out of time serves on', async () => {
  const { connection, address } = await centre.openDatabase();
  const spoilt = await connect(address);
  await spoilt.query('begin');
  await expect(spoilt.query('select 1 / 0')).rejects.toMatchObject({ code: 'centre.rejected_batch' });
  await expect(spoilt.query('select 1')).rejects.toMatchObject({ code: 'centre.busy', cause: { code: '25P02' } });
  expect(spoilt.usable()).toBe(false);
  await spoilt.close();
  await connection.query(`set statement_timeout = 20`);
  await expect(connection.query('select pg_sleep(60)')).rejects.toMatchObject({ code: 'centre.busy' });
  expect(connection.usable()).toBe(true);
  await connection.query('reset statement_timeout');
});

test('int8 is a number where a number can hold it, and an error where not', async () => {
  const { connection } = await centre.openDatabase();
  expect(await connection.query('select 9007199254740991::int8 as n')).toEqual([{ n: Number.MAX_SAFE_INTEGER }]);
  await expect(connection.query('select 9007199254740993::int8 as n')).rejects.toThrow('safe integers');
});

test.each<['off' | 'verify', string]>([
  ['off', ''],
  ['verify', ''],
  ['verify', 'S'], // "yes, TLS", and then nothing
])(
  'a link that hangs (TLS %s, answer "%s") is given up at once by whoever stops, and by close',
  async (mode, answer) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      socket.once('data', () => answer !== '' && socket.write(answer));
    });
    const port = await listening(server);
    const link = createCentreLink(() => ({
      host: 'localhost',
      port,
      database: 'd',
      user: 'u',
      password: 'p',
      tls: { mode },
    }));
    const abort = new AbortController();
    const stopping = expect(link.call('hello', [], abort.signal)).rejects.toMatchObject({ code: 'centre.unreachable' });
    const closing = expect(link.call('hello', [])).rejects.toMatchObject({ code: 'centre.unreachable' });
    await until('the link has called', () => sockets.size === 1);
    const startedMs = performance.now();
    abort.abort();
    await stopping;
    expect(sockets.size, 'the other caller still waits').toBe(1);
    await link.close();
    await closing;
    await until('the link has hung up', () => sockets.size === 0);
    expect(performance.now() - startedMs).toBeLessThan(1_500);
    await new Promise((closed) => server.close(closed));
  },
);

test.each([
  ['28P01', 'centre.refused'],
  ['42501', 'centre.refused'],
  ['42883', 'centre.incompatible'],
  ['3F000', 'centre.incompatible'],
  ['57P01', 'centre.unreachable'],
  ['57P05', 'centre.unreachable'],
  ['25P03', 'centre.unreachable'],
  ['25P01', 'centre.busy'],
  ['25P02', 'centre.busy'],
  ['25006', 'centre.busy'],
  ['40001', 'centre.busy'],
  ['40P01', 'centre.busy'],
  ['53100', 'centre.busy'],
  ['53300', 'centre.busy'],
  ['55P03', 'centre.busy'],
  ['57014', 'centre.busy'],
  ['58030', 'centre.busy'],
  ['XX000', 'centre.busy'],
  ['22003', 'centre.rejected_batch'],
  ['23502', 'centre.rejected_batch'],
  ['WW400', 'centre.rejected_batch'],
])('SQLSTATE %s means %s', (sqlState, code) => {
  expect(centreError(new Error('in whatever language'), sqlState).code).toBe(code);
});

test('a certificate of an unknown authority, or for another name, is not trusted; the right one is', async () => {
  const { cert, key } = selfSigned('localhost');
  const caFile = join(certificates, 'ca.pem');
  writeFileSync(caFile, cert);
  let startups = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined); // a client that does not trust us hangs up
    socket.once('data', () => {
      socket.write('S'); // "yes, TLS", as PostgreSQL says it
      const secure = new TLSSocket(socket, { isServer: true, cert, key });
      secure.on('error', () => undefined);
      secure.once('data', () => {
        startups += 1;
        secure.destroy();
      });
    });
  });
  const port = await listening(server);
  const to = (host: string, ca?: string): CentreAddress => ({
    host,
    port,
    database: 'd',
    user: 'u',
    password: 'p',
    tls: { mode: 'verify', caFile: ca },
  });
  await expect(connect(to('localhost'))).rejects.toMatchObject({ code: 'centre.untrusted' });
  await expect(connect(to('127.0.0.1', caFile))).rejects.toMatchObject({
    code: 'centre.untrusted',
    cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
  });
  await expect(connect(to('localhost', join(certificates, 'no.pem')))).rejects.toMatchObject({
    code: 'centre.untrusted',
  });
  expect(startups).toBe(0);
  await expect(connect(to('localhost', caFile))).rejects.toMatchObject({ code: 'centre.unreachable' });
  expect(startups).toBe(1);
  await new Promise((closed) => server.close(closed));
});

const listening = (server: Server): Promise<number> =>
  new Promise((done) => {
    server.listen(0, 'localhost', () => {
      const address = server.address();
      done(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });

/** The smallest X.509 certificate there is: version 1, Ed25519. */
function selfSigned(commonName: string): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const der = (tag: number, ...parts: Uint8Array[]) => {
    const body = Buffer.concat(parts);
    const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
    return Buffer.concat([Uint8Array.of(tag, ...length), body]);
  };
  const algorithm = der(0x30, Buffer.from('06032b6570', 'hex'));
  const nameType = Buffer.from('0603550403', 'hex');
  const name = der(0x30, der(0x31, der(0x30, nameType, der(0x0c, Buffer.from(commonName)))));
  const time = (text: string) => der(0x17, Buffer.from(text));
  const validity = der(0x30, time('200101000000Z'), time('491231235959Z'));
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const body = der(0x30, der(0x02, Uint8Array.of(1)), algorithm, name, validity, name, spki);
  const signature = der(0x03, Uint8Array.of(0), sign(null, body, privateKey));
  const base64 = der(0x30, body, algorithm, signature).toString('base64');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}
