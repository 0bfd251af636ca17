import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { extended, writeProject } from './fixture.js';
import { structureFaults } from './rules.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wattwarden structure '));
});
afterAll(() => rmSync(directory, { recursive: true }));

const root = () => join(directory, 'project');

function faults(changes: Readonly<Record<string, string | undefined>>): readonly string[] {
  writeProject(root(), changes);
  return structureFaults(root(), { notYetUsed: [] });
}

test('the sound project has no fault', () => {
  expect(faults({})).toEqual([]);
});

test.each<[string, Readonly<Record<string, string | undefined>>, readonly string[]]>([
  ['a stray folder', { 'lib/x.ts': '' }, ['lib has no place at the top level']],
  ['a stray file', { 'notes.txt': '' }, ['notes.txt has no place at the top level']],
  ['a missing part', { 'README.md': undefined }, ['README.md is missing at the top level']],
  [
    'a stage that imports a stage',
    extended('agent/ingest/broker.ts', "import { open } from '../buffer/buffer.js';\nopen;"),
    [
      'agent/ingest/broker.ts imports agent/buffer/buffer.ts: agent/ingest/ may not import agent/buffer/ (it never acknowledges before the commit)',
    ],
  ],
  [
    'even for a type',
    extended('agent/ingest/broker.ts', "export type { open } from '../buffer/buffer.js';"),
    [
      'agent/ingest/broker.ts imports agent/buffer/buffer.ts: agent/ingest/ may not import agent/buffer/ (it never acknowledges before the commit)',
    ],
  ],
  [
    'a unit test that imports another stage',
    { 'agent/ingest/broker.test.ts': "import { open } from '../buffer/buffer.js';\nopen;" },
    [
      'agent/ingest/broker.test.ts imports agent/buffer/buffer.ts: agent/ingest/ may not import agent/buffer/ (it never acknowledges before the commit)',
    ],
  ],
  [
    'a domain that knows the world',
    extended('agent/domain/reading.ts', "export { schema } from '../../config/schema.js';"),
    [
      'agent/domain/reading.ts imports config/schema.ts: agent/domain/ may not import config/ (it never knows any other folder)',
      'files import each other in a circle: agent/domain/reading.ts → config/schema.ts → agent/domain/reading.ts',
    ],
  ],
  [
    'models that reach for the settings',
    extended('models/forecast/train/train.ts', "await import('../../../config/schema.js');"),
    [
      'models/forecast/train/train.ts imports config/schema.ts: models/ may not import config/ (it never touches a clock, a socket or a database)',
    ],
  ],
  [
    'the bridge that imports the agent',
    {
      ...extended('cloud-sync/timescale/connection.ts', "import '../../agent/threads/idle.js';"),
      'agent/threads/idle.ts': 'export {};',
    },
    [
      'cloud-sync/timescale/connection.ts imports agent/threads/idle.ts: cloud-sync/ may not import agent/threads/ (it never imports from agent/, agent/domain apart)',
    ],
  ],
  [
    'a gateway that imports the centre’s own part',
    {
      ...extended('agent/gateway.ts', "import { retrain } from '../cloud-sync/retrain/retrain.js';\nretrain;"),
      'cloud-sync/retrain/retrain.ts': 'export const retrain = 1;',
    },
    [
      'agent/gateway.ts imports cloud-sync/retrain/retrain.ts: agent/ may not import cloud-sync/ (it never holds a rule of a stage)',
    ],
  ],
  [
    'a product that needs a script',
    { ...extended('config/schema.ts', "import '../scripts/words.js';"), 'scripts/words.ts': 'export {};' },
    ['config/schema.ts imports scripts/words.ts: config/ may not import scripts/ (it never holds a secret)'],
  ],
  [
    'a product that needs a test',
    { ...extended('agent/gateway.ts', "import '../tests/words.js';"), 'tests/words.ts': 'export {};' },
    ['agent/gateway.ts imports tests/words.ts: agent/ may not import tests/ (it never holds a rule of a stage)'],
  ],
  [
    'a new stage that nobody entered',
    { 'agent/billing/bill.ts': "import { power } from '../domain/reading.js';\npower;" },
    ['agent/billing/bill.ts stands in no layer of tests/structure/layers.ts'],
  ],
  [
    'a native package in another folder',
    extended('agent/gateway.ts', "import Database from 'better-sqlite3';\nDatabase;"),
    ['agent/gateway.ts imports better-sqlite3: only agent/buffer/ may'],
  ],
  [
    'even below its path',
    extended('cloud-sync/main.ts', "import tf from '@tensorflow/tfjs-node/dist/index.js';\ntf;"),
    ['cloud-sync/main.ts imports @tensorflow/tfjs-node: only models/forecast/train/ may'],
  ],
  [
    'a development dependency in the product',
    extended('cloud-sync/main.ts', "import { test } from 'vitest';\ntest;"),
    [
      'cloud-sync/main.ts imports vitest, which no installation declares',
      'cloud-sync/package.json does not declare vitest: cloud-sync/main.ts → vitest',
    ],
  ],
  [
    'an import of a file that is not there',
    extended('agent/gateway.ts', "import { gone } from './gone.js';\ngone;"),
    ['agent/gateway.ts asks for agent/gone.ts, which is not there'],
  ],
  [
    'a worker that is not there',
    extended('agent/gateway.ts', "new URL('./threads/gone.js', import.meta.url);"),
    ['agent/gateway.ts asks for agent/threads/gone.ts, which is not there'],
  ],
  [
    'a module named at run time only',
    extended('agent/gateway.ts', 'await import(process.argv[2]);'),
    ['agent/gateway.ts imports a module that it names at run time only'],
  ],
  [
    'a circle',
    {
      'models/a.ts': "import './b.js';",
      'models/b.ts': "import type { C } from './c.js';",
      'models/c.ts': "import './a.js';",
    },
    ['files import each other in a circle: models/a.ts → models/b.ts → models/c.ts → models/a.ts'],
  ],
  [
    'a package in the browser',
    { 'agent/ui/page/main.ts': "import pg from 'pg';\npg;" },
    [
      'agent/ui/page/main.ts imports pg: only cloud-sync/timescale/ may',
      'agent/ui/page/main.ts imports a package into the browser',
    ],
  ],
])('%s', (_, changes, expected) => {
  expect(faults(changes)).toEqual(expected);
});

describe('two installations', () => {
  const gateway = (dependencies: Record<string, string>) => ({
    'agent/package.json': JSON.stringify({ dependencies }),
  });
  const all = { aedes: '1.2.0', 'better-sqlite3': '12.9.0', pg: '8.0.0' };

  test('a package that the gateway loads in a worker and does not declare', () => {
    expect(faults(gateway({ aedes: '1.2.0', pg: '8.0.0' }))).toEqual([
      'agent/buffer/file.ts imports better-sqlite3, which no installation declares',
      'agent/package.json does not declare better-sqlite3: agent/main.ts → agent/commands/run.ts → agent/gateway.ts → agent/threads/worker.ts → agent/buffer/file.ts → better-sqlite3',
    ]);
  });

  test('a package that it declares and does not load; a type is no load', () => {
    expect(
      faults({
        ...gateway({ ...all, zod: '4.0.0' }),
        ...extended('agent/gateway.ts', "import type { z } from 'zod';\ntype Z = z;"),
      }),
    ).toEqual(['agent/package.json declares zod, which nothing loads']);
  });

  test('training in the gateway', () => {
    const changes = extended(
      'cloud-sync/timescale/connection.ts',
      "import { train } from '../../models/forecast/train/train.js';\ntrain();",
    );
    expect(faults(changes)).toEqual([
      'the installation of agent/ must not load @tensorflow/tfjs-node: agent/main.ts → agent/commands/run.ts → agent/gateway.ts → cloud-sync/timescale/connection.ts → models/forecast/train/train.ts → @tensorflow/tfjs-node',
    ]);
  });

  test('the broker in the centre', () => {
    const changes = extended('cloud-sync/main.ts', "import { listen } from '../agent/ingest/broker.js';\nlisten();");
    expect(faults(changes)).toEqual([
      'cloud-sync/main.ts imports agent/ingest/broker.ts: cloud-sync/ may not import agent/ingest/ (it never imports from agent/, agent/domain apart)',
      'the installation of cloud-sync/ must not load aedes: cloud-sync/main.ts → agent/ingest/broker.ts → aedes',
    ]);
  });

  test('a version that is not pinned', () => {
    expect(faults(gateway({ ...all, pg: '^8.0.0' }))).toEqual(['agent/package.json does not pin pg (^8.0.0)']);
  });

  test('an entry that is missing', () => {
    expect(faults({ 'cloud-sync/main.ts': undefined })).toEqual([
      'cloud-sync/main.ts is missing',
      'cloud-sync/package.json declares pg, which nothing loads',
      'cloud-sync/package.json declares @tensorflow/tfjs-node, which nothing loads',
    ]);
  });

  test('an excuse holds as long as it is needed, and no longer', () => {
    const excuse = { folder: 'agent', name: 'mqtt', since: '2026-11-20', because: 'soon' };
    const withMqtt = gateway({ ...all, mqtt: '5.0.0' });
    writeProject(root(), withMqtt);
    expect(structureFaults(root(), { notYetUsed: [excuse] })).toEqual([]);
    writeProject(root(), { ...withMqtt, ...extended('agent/ingest/broker.ts', "import 'mqtt';") });
    expect(structureFaults(root(), { notYetUsed: [excuse] })).toEqual([
      'mqtt of agent/ stands in NOT_YET_USED of tests/structure/layers.ts without need',
    ]);
  });
});
