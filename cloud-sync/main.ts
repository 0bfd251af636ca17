#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { systemClock } from '../agent/domain/clock.js';
import { codeOf, messageOf } from '../agent/domain/errors.js';
import { describeFailure } from '../agent/domain/failure.js';
import { loadSettings } from '../config/load.js';
import type { Settings } from '../config/schema.js';
import { addGateway } from './commands/add-gateway.js';
import { centreAddress, withCentre } from './commands/centre-session.js';
import { initCentre } from './commands/init.js';
import { releaseBundle } from './release/release.js';
import { loadSigningKey } from './release/signing-key.js';

interface Shared {
  readonly config?: string;
  readonly json?: boolean;
}

type Done = { readonly data: object; readonly text: string };

const program = new Command('wattwarden cloud')
  .description('Administers the centre: its database, its gateways, its models.')
  .showHelpAfterError();

command('init', 'Prepare the database and the signing key; safe to repeat.').action((shared: Shared) =>
  run(shared, async ({ centre }) => {
    const report = await initCentre(centre);
    const kind = report.timescale === undefined ? 'plain PostgreSQL' : `TimescaleDB ${report.timescale}`;
    const applied = report.applied.length === 0 ? 'nothing to migrate' : `migrated: ${report.applied.join(', ')}`;
    const warnings = report.warnings.map((warning) => `warning: ${warning}\n`).join('');
    return {
      data: report,
      text: `${centre.database} on ${centre.host}:${centre.port} (${kind}), ${applied}\n${warnings}public key: ${report.publicKey}`,
    };
  }),
);

command('add-gateway', 'Register a gateway and write its configuration and password.')
  .argument('<name>', 'name of the gateway')
  .option('--out <dir>', 'where NAME.yaml and NAME.password are written', '.')
  .option('--renew', 'give a registered gateway a new password', false)
  .action((name: string, options: Shared & { out: string; renew: boolean }) =>
    run(options, async ({ centre }) => {
      const added = await addGateway({ centre, name, outDir: options.out, renew: options.renew });
      return { data: added, text: `role ${added.role}\n${added.configFile}\n${added.passwordFile}` };
    }),
  );

command('retrain', 'Train a new model bundle on the slots at the centre.')
  .option('--release', 'sign and release it at once', false)
  .option('--out <dir>', 'directory in which the bundle gets its own', 'bundles')
  .addOption(
    new Option('--seed <n>', 'the same seed and the same slots give the same bundle').argParser(Number).default(1),
  )
  .action((options: Shared & { release: boolean; out: string; seed: number }) => run(options, retrainCommand(options)));

command('release', 'Sign a bundle and release it to the gateways.')
  .argument('<dir>', 'directory of the bundle')
  .action((dir: string, options: Shared) =>
    run(options, async ({ centre }) => {
      const { privateKeyPem } = loadSigningKey(centre.keys_dir);
      const released = await withCentre(centreAddress(centre), (connection) =>
        releaseBundle({ connection, bundleDir: dir, privateKeyPem }),
      );
      return { data: released, text: `released ${released.version} as number ${released.sequence}` };
    }),
  );

function retrainCommand({ release, out, seed, json }: Shared & { release: boolean; out: string; seed: number }) {
  return async ({ centre }: Settings): Promise<Done> => {
    // Loads TensorFlow.js, which the other commands need not wait for.
    const { retrain } = await import('./retrain/retrain.js');
    const { privateKeyPem } = release ? loadSigningKey(centre.keys_dir) : { privateKeyPem: undefined };
    const address = centreAddress(centre);
    const trained = await withCentre(address, (connection) =>
      retrain({
        connection,
        clock: systemClock,
        outDir: out,
        days: centre.training_days,
        seed,
        onProgress: ({ phase, done, detail }) => {
          if (json !== true) process.stderr.write(`${phase} ${Math.round(done * 100)} % ${detail}\n`);
        },
      }),
    );
    const text = `trained ${trained.version} on ${trained.slots} slots of ${trained.meters} meters: ${trained.dir}`;
    if (privateKeyPem === undefined) return { data: trained, text };
    const { sequence } = await withCentre(address, (connection) =>
      releaseBundle({ connection, bundleDir: trained.dir, privateKeyPem }),
    );
    return { data: { ...trained, sequence }, text: `${text}\nreleased ${trained.version} as number ${sequence}` };
  };
}

function command(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--config <file>', 'configuration file')
    .option('--json', 'answer in JSON');
}

async function run({ config, json }: Shared, work: (settings: Settings) => Promise<Done>): Promise<void> {
  try {
    const { data, text } = await work(loadSettings({ file: config, env: process.env }));
    process.stdout.write(`${json === true ? JSON.stringify(data) : text}\n`);
  } catch (error) {
    process.exitCode = 1;
    if (json === true)
      process.stdout.write(`${JSON.stringify({ error: { code: codeOf(error) ?? null, detail: messageOf(error) } })}\n`);
    else process.stderr.write(`${describeFailure(error)}\n`);
  }
}

/** As `wattwarden cloud …`, or as the program of an installation that is a centre only. */
export async function main(given: readonly string[]): Promise<void> {
  await program.parseAsync(given, { from: 'user' });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
