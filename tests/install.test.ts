import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { silentLogger } from '../agent/domain/log.js';
import { assemble } from '../scripts/assemble/assembly.js';
import type { PartName } from '../scripts/assemble/parts.js';
import { openEmbeddedPostgres } from '../scripts/embedded-postgres.js';
import { startGateway } from './kit/command.js';
import { runProgram } from './kit/program.js';
import { until } from './kit/until.js';

/** What `npm run assemble` makes is run with nothing around it; that npm can fetch its packages is not tried here. */

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'wattwarden install '));
afterAll(() => rmSync(directory, { recursive: true }));
// Started by root, PostgreSQL runs as another user.
beforeAll(() => chmod(directory, 0o711));

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly integrity?: string }>>;
}
interface Manifest {
  readonly dependencies: object;
  readonly optionalDependencies?: object;
}

const read = <Shape>(file: string): Shape => JSON.parse(readFileSync(file, 'utf8')) as Shape;
const program = (installation: string) => join(installation, 'dist/agent/main.js');
const wattwarden = (installation: string, ...given: readonly string[]) =>
  runProgram(process.execPath, program(installation), ...given);

/** Assembled, and what its package.json names linked to the repository's own; nothing else can be imported there. */
function install(part: PartName): string {
  const out = join(directory, part);
  assemble({ root, part, out });
  const { dependencies, optionalDependencies } = read<Manifest>(join(out, 'package.json'));
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const there = join(root, 'node_modules', name);
    if (!existsSync(there) && name in (optionalDependencies ?? {})) continue;
    mkdirSync(dirname(join(out, 'node_modules', name)), { recursive: true });
    symlinkSync(there, join(out, 'node_modules', name));
  }
  return out;
}

/** Names of all packages that `npm ci` will fetch. */
const locked = (installation: string): readonly string[] =>
  Object.keys(read<Lock>(join(installation, 'package-lock.json')).packages).flatMap(
    (place) => place.split('node_modules/').at(-1) || [],
  );

function fingerprint(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => `${file.slice(folder.length)} ${createHash('sha256').update(readFileSync(file)).digest('hex')}`)
    .sort();
}

describe('the gateway’s', () => {
  let gateway: string;
  beforeAll(() => {
    gateway = install('gateway');
  });

  test('runs: a reading is taken in and found again, the shipped model serves, the page is there', async () => {
    const config = join(directory, 'gateway.yaml');
    const settings = { gateway: { data_dir: join(directory, 'data') }, mqtt: { port: 0 }, http: { port: 0 } };
    writeFileSync(config, stringify({ version: 1, ...settings }));
    const running = await startGateway(config, { program: program(gateway) });
    try {
      await until('the model serves', () => running.output().includes('model serves'));
      const client = await connectAsync(`mqtt://${running.mqtt}`);
      await client.publishAsync('meters/kitchen/reading', '{"power_w": 512.5}', { qos: 1 });
      await client.endAsync();
      const listed = await wattwarden(gateway, 'readings', '--json', '--config', config);
      expect(JSON.parse(listed.output)).toMatchObject([{ meter: 'kitchen' }]);
      const status = await wattwarden(gateway, 'status', '--config', config);
      expect(status).toMatchObject({ code: 0, output: expect.stringContaining('1 stored') });
      const page = await (await fetch(running.http)).text();
      const script = /src="([^"]+\.js)"/.exec(page)?.[1] ?? 'none';
      expect((await fetch(new URL(script, running.http))).status).toBe(200);
    } finally {
      expect(await running.stop(), running.output()).toBe(0);
    }
  });

  test('has no training and no PostgreSQL', () => {
    const heavy = locked(gateway).filter((name) =>
      /^@tensorflow\/|^@?embedded-postgres|^typescript$|^vitest$/.test(name),
    );
    expect(heavy).toEqual([]);
    expect(existsSync(join(gateway, 'dist/cloud-sync/main.js'))).toBe(false);
  });

  test.each(['up', 'simulate', 'cloud'])('says that `wattwarden %s` belongs to another part', async (command) => {
    const { code, output } = await wattwarden(gateway, command);
    expect(code).toBe(1);
    expect(output).toContain('install.missing_part');
    expect(output).toContain(`wattwarden ${command}: `);
  });

  test('names a package that is declared and not there, and still helps and checks settings', async () => {
    const lame = join(directory, 'lame');
    assemble({ root, part: 'gateway', out: lame });
    mkdirSync(join(lame, 'node_modules'));
    for (const name of ['commander', 'yaml', 'zod'])
      symlinkSync(join(root, 'node_modules', name), join(lame, 'node_modules', name));
    for (const given of [['--help'], ['--version'], ['config', 'check'], ['config', 'reference']])
      expect(await wattwarden(lame, ...given), given.join(' ')).toMatchObject({ code: 0 });
    const { code, output } = await wattwarden(lame, 'status');
    expect(code).toBe(1);
    expect(output).toContain('install.missing_part');
    expect(output).toContain("Cannot find package 'better-sqlite3'");
  });
});

describe('the centre’s', () => {
  let centre: string;
  beforeAll(() => {
    centre = install('centre');
  });

  test('prepares a database, lets a gateway in, and would train', async () => {
    const dataDir = join(directory, 'postgres');
    const server = await openEmbeddedPostgres({ dataDir, log: silentLogger, throwaway: true });
    try {
      const config = join(directory, 'centre.yaml');
      const { port, superuser: user, passwordFile: password_file } = server;
      const address = { port, user, password_file, tls: { mode: 'off' } };
      writeFileSync(config, stringify({ version: 1, centre: { ...address, keys_dir: join(directory, 'keys') } }));
      const cloud = (...given: readonly string[]) => wattwarden(centre, 'cloud', ...given, '--config', config);
      expect(await cloud('init')).toMatchObject({ code: 0, output: expect.stringContaining('public key: ') });
      expect(await cloud('add-gateway', 'gw-7', '--out', directory)).toMatchObject({ code: 0 });
      const enrolment = join(directory, 'gw-7.yaml');
      const checked = await wattwarden(centre, 'config', 'check', '--config', enrolment);
      expect(checked.code, checked.output).toBe(0);
      expect(await cloud('retrain')).toMatchObject({ code: 1, output: expect.stringContaining('model.no_data') });
    } finally {
      await server.stop();
    }
  });

  test('has no broker, no buffer and no server of its own', () => {
    const names = locked(centre);
    expect(names).toContain('@tensorflow/tfjs-core');
    expect(names.filter((name) => /^(aedes|mqtt|better-sqlite3|fastify|@?embedded-postgres.*)$/.test(name))).toEqual(
      [],
    );
    expect(existsSync(join(centre, 'dist/agent/buffer'))).toBe(false);
  });

  test('says that `wattwarden run` belongs to another part', async () => {
    const { code, output } = await wattwarden(centre, 'run');
    expect(code).toBe(1);
    expect(output).toContain('install.missing_part');
  });
});

describe.each<PartName>(['gateway', 'centre'])('%s', (part) => {
  test('is the same each time, with the versions of the repository', () => {
    const [once, again] = ['once', 'again'].map((name) => join(directory, `${part} ${name}`)) as [string, string];
    for (const out of [once, again]) assemble({ root, part, out });
    expect(fingerprint(again)).toEqual(fingerprint(once));
    const whole = read<Lock>(join(root, 'package-lock.json')).packages;
    const { '': own, ...packages } = read<Lock>(join(once, 'package-lock.json')).packages;
    expect(own).toMatchObject({ bin: { wattwarden: 'dist/agent/main.js' } });
    for (const [place, { version, integrity }] of Object.entries(packages)) {
      expect({ place, version, integrity }).toEqual({
        place,
        version: whole[place]?.version,
        integrity: whole[place]?.integrity,
      });
    }
  });

  test('replaces an earlier one, keeps what lies beside it, and touches nothing else', () => {
    const out = join(directory, `${part} kept`);
    assemble({ root, part, out });
    writeFileSync(join(out, 'gw-7.yaml'), 'version: 1\n');
    writeFileSync(join(out, 'dist/old.js'), '');
    assemble({ root, part, out });
    expect(existsSync(join(out, 'gw-7.yaml'))).toBe(true);
    expect(existsSync(join(out, 'dist/old.js'))).toBe(false);
    const other = part === 'gateway' ? 'centre' : 'gateway';
    expect(() => assemble({ root, part: other, out })).toThrow('something else');
    rmSync(join(out, 'package.json'));
    expect(() => assemble({ root, part, out })).toThrow('something else');
  });
});
