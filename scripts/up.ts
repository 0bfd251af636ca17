import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../agent/domain/clock.js';
import { inOrder, type Part } from '../agent/domain/lifecycle.js';
import { createLogger } from '../agent/domain/log.js';
import { type EmbeddedPostgres, openEmbeddedPostgres } from './embedded-postgres.js';
import { GATEWAY, writeCentreConfig, writeGatewayConfig } from './up/configuration.js';
import { createNarrator } from './up/narrator.js';
import { createProcess, runCommand } from './up/process.js';

interface Options {
  readonly mqttPort: number;
  readonly httpPort: number;
  readonly meters: number;
  readonly dataDir: string;
  readonly fresh: boolean;
}

const FEEDERS = 2;
/** The first time: enough for a whole window, for training on it, and for a weekly rhythm. */
const HISTORY_MS = 7 * 86_400_000;

/** Everything on one machine, on real parts: meters over MQTT, gateway, PostgreSQL as the centre, the page. */
export async function main(given: readonly string[]): Promise<void> {
  const options = parseOptions(given);
  const dir = resolve(options.dataDir);
  if (options.fresh) await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const log = createLogger('warn');
  const narrator = createNarrator({
    clock: systemClock,
    configFile: join(dir, 'gateway.yaml'),
    centreFile: join(dir, 'centre.yaml'),
    bundlesDir: join(dir, 'bundles'),
  });

  const gateway = createProcess({ name: 'gateway', command: ['run', '--config', join(dir, 'gateway.yaml')] });
  let simulator: ReturnType<typeof createProcess> | undefined;
  const parts: readonly Part[] = [
    centrePart(dir, options, log),
    gateway,
    {
      name: 'meters',
      async start() {
        const { mqtt, http } = await gateway.ready;
        const since = await narrator.connect(http, HISTORY_MS);
        const fleet = ['--meters', String(options.meters), '--feeders', String(FEEDERS), '--theft'];
        simulator = createProcess({
          name: 'meters',
          command: ['simulate', '--url', `mqtt://${mqtt}`, '--since', since.toISOString(), ...fleet],
        });
        await simulator.start();
      },
      stop: async (hurry) => await simulator?.stop(hurry),
    },
    narrator,
  ];
  const everything = inOrder(parts, { clock: systemClock, log, stopDeadlineMs: 20_000 });
  const asked = new Promise<void>((stop) => {
    let times = 0;
    const ask = (): void => {
      times += 1;
      stop();
      if (times > 1) everything.hurry();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ask);
  });
  const died = gateway.died.then(({ how }) => {
    console.error(`The gateway ${how}; everything else is stopped.`);
    process.exitCode = 1;
  });
  const ended = Promise.race([asked, died]).then(async () => {
    console.log('\nStopping… (once more does it in a hurry)');
    return await everything.stop();
  });
  await everything.start();
  await ended;
  console.log('Stopped. What was acknowledged is stored; `npm start` goes on from there.');
}

/** PostgreSQL, and in it what a centre and one gateway need. */
function centrePart(dir: string, options: Options, log: ReturnType<typeof createLogger>): Part {
  let server: EmbeddedPostgres | undefined;
  return {
    name: 'centre',
    async start() {
      console.log('Starting PostgreSQL as the centre…');
      server = await openEmbeddedPostgres({ dataDir: join(dir, 'postgres'), log });
      const config = await writeCentreConfig(dir, server);
      await runCommand(['cloud', 'init', '--config', config]);
      const enrolment = join(dir, 'enrolment');
      if (!existsSync(join(enrolment, `${GATEWAY}.yaml`))) {
        await runCommand(['cloud', 'add-gateway', GATEWAY, '--out', enrolment, '--config', config]);
      }
      await writeGatewayConfig(dir, { server, ...options, feeders: FEEDERS });
    },
    stop: async () => await server?.stop(),
  };
}

function parseOptions(given: readonly string[]): Options {
  return new Command('wattwarden up')
    .description('run everything on this machine: meters, gateway, centre, page')
    .option('--mqtt-port <port>', 'of the embedded broker', whole, 1883)
    .option('--http-port <port>', 'of the page', whole, 8088)
    .option('-m, --meters <count>', 'simulated customers', whole, 25)
    .option('--data-dir <dir>', 'where everything is kept', '.wattwarden')
    .option('--fresh', 'forget what an earlier run has kept', false)
    .parse(given, { from: 'user' })
    .opts<Options>();
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('a whole number up to 65535');
  return value;
}
