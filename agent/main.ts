#!/usr/bin/env node
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { loadSettings } from '../config/load.js';
import { printSettings } from '../config/print.js';
import { referenceText } from '../config/reference.js';
import type { Settings } from '../config/schema.js';
import { createFleetView } from './api/fleet.js';
import { readOverview } from './api/overview.js';
import { openReader } from './buffer/reader.js';
import { epochMs, METER_ID_RULE, type MeterId, parseMeterId } from './domain/brand.js';
import { systemClock } from './domain/clock.js';
import { WattwardenError } from './domain/errors.js';
import { describeFailure } from './domain/failure.js';
import { flagsOf } from './domain/flags.js';
import { REJECT_REASONS, type RejectReason } from './domain/rejection.js';
import { askGateway } from './ops/control.js';
import { readingsScreen, rejectedScreen } from './ops/listing.js';
import { qualityPage } from './ops/quality-page.js';
import { qualityReport } from './ops/quality-report.js';
import { qualityScreen } from './ops/quality-screen.js';
import { statusScreen } from './ops/status.js';
import { runGateway } from './run.js';
import { bufferPath, controlPath, silenceRules } from './settings.js';
import type { MainView } from './threads/messages.js';
import { VERSION } from './version.js';

/** Commands that live in another part of the repository, and may not be installed here. */
const PARTS = {
  up: { file: '../scripts/up.js', about: 'run everything on this machine: meters, gateway, centre, page' },
  simulate: { file: '../scripts/simulate.js', about: 'publish as a fleet of simulated meters' },
  cloud: { file: '../cloud-sync/main.js', about: 'the centre: init, add-gateway, retrain, release' },
} as const;

const program = new Command('wattwarden')
  .description(
    'Takes electricity meter readings in, keeps them, forecasts them, finds theft, and replicates to a centre.',
  )
  .version(VERSION)
  .showHelpAfterError()
  .enablePositionalOptions();

const config = () => new Option('-c, --config <file>', 'configuration file').env('WATTWARDEN_CONFIG');
const json = () => new Option('--json', 'print one JSON document');
const limit = () => new Option('-n, --limit <count>', 'how many at most').argParser(parseLimit).default(20);

interface Common {
  readonly config?: string;
  readonly json?: true;
}

const settingsOf = ({ config: file }: Common): Settings => loadSettings({ file, env: process.env });

program
  .command('run')
  .description('run the gateway until it is told to stop')
  .addOption(config())
  .action(async (options: Common) => {
    process.exitCode = await runGateway(settingsOf(options));
  });

program
  .command('status')
  .description('is it well, what came in, who is silent, what waits for the centre, which model serves')
  .addOption(config())
  .addOption(json())
  .action(async (options: Common) => {
    const overview = await readStatus(settingsOf(options));
    print(options, overview, () => statusScreen(overview));
    if (overview.health.status === 'failing') process.exitCode = 1;
  });

program
  .command('readings')
  .description('the last readings stored, newest first')
  .addOption(config())
  .addOption(json())
  .addOption(limit())
  .option('-m, --meter <id>', 'of one meter only', parseMeter)
  .action((options: Common & { limit: number; meter?: MeterId }) => {
    const rows = read(options, (reader) => reader.readings(only(options, 'limit', 'meter')));
    const named = rows.map((row) => ({ ...row, flags: flagsOf(row.flags) }));
    print(options, named, () => readingsScreen(rows));
  });

program
  .command('rejected')
  .description('the last payloads that were kept aside, with the reason')
  .addOption(config())
  .addOption(json())
  .addOption(limit())
  .addOption(new Option('-r, --reason <reason>', 'of one reason only').choices(Object.keys(REJECT_REASONS)))
  .action((options: Common & { limit: number; reason?: RejectReason }) => {
    const found = read(options, (reader) => ({
      counts: reader.rejectedCounts(),
      rows: reader.rejected(only(options, 'limit', 'reason')).map((row) => ({
        ...row,
        payload: Buffer.from(row.payload).toString('utf8'),
      })),
    }));
    print(options, found, () => rejectedScreen(found));
  });

program
  .command('quality')
  .description('data quality: which meters send what cannot be used, since when, and what to do about it')
  .addOption(config())
  .addOption(json())
  .option('--from <day>', 'first day, as 2026-01-31; two weeks back when not given', parseDay)
  .option('--to <day>', 'last day; today when not given', parseDay)
  .option('-m, --meter <id>', 'of one meter only', parseMeter)
  .option('--html <file>', 'write it as a page of its own')
  .action((options: QualityOptions) => {
    const report = readQuality(options);
    if (options.html !== undefined) {
      writeFileSync(options.html, qualityPage(report));
      console.error(`Written to ${options.html}`);
      if (options.json !== true) return;
    }
    print(options, report, () => qualityScreen(report));
  });

program
  .command('sync')
  .description('ask the running gateway to push and pull at once')
  .addOption(config())
  .action(async (options: Common) => {
    await askGateway(controlPath(settingsOf(options)), 'sync-now');
    console.log('Asked; `wattwarden status` shows the link.');
  });

const configuration = program.command('config').description('look at the configuration');
configuration
  .command('check')
  .description('check it and name every fault')
  .addOption(config())
  .action((options: Common) => {
    settingsOf(options);
    console.log('The configuration is valid.');
  });
configuration
  .command('print')
  .description('print what is in force, defaults included and secrets masked')
  .addOption(config())
  .action((options: Common) => console.log(printSettings(settingsOf(options))));
configuration
  .command('reference')
  .description('explain every key')
  .action(() => console.log(referenceText()));

for (const [name, { file, about }] of Object.entries(PARTS)) {
  program
    .command(`${name} [arguments...]`)
    .description(about)
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (given: string[]) => {
      const part = new URL(file, import.meta.url);
      if (!existsSync(fileURLToPath(part))) throw new WattwardenError('install.missing_part', `wattwarden ${name}`);
      const { main } = (await import(part.href)) as { main(given: readonly string[]): Promise<void> };
      await main(given);
    });
}

/** From the buffer, and from the gateway itself when it runs. */
async function readStatus(settings: Settings) {
  const reader = openReader(bufferPath(settings));
  try {
    return await readOverview({
      gateway: settings.gateway.name,
      clock: systemClock,
      source: reader,
      live: { view: async () => (await askGateway(controlPath(settings), 'view')) as MainView },
      fleet: createFleetView({ source: reader, clock: systemClock, silence: silenceRules(settings) }),
    });
  } finally {
    reader.close();
  }
}

const DAY_MS = 86_400_000;
const REPORT_DAYS = 14;
const MAX_REPORT_DAYS = 400;

interface QualityOptions extends Common {
  readonly from?: number;
  readonly to?: number;
  readonly meter?: MeterId;
  readonly html?: string;
}

function readQuality(options: QualityOptions) {
  const nowMs = systemClock.now();
  const toMs = options.to ?? nowMs;
  const fromMs = options.from ?? toMs - (REPORT_DAYS - 1) * DAY_MS;
  if (fromMs > toMs) program.error('error: --from must not lie after --to');
  if (toMs - fromMs > MAX_REPORT_DAYS * DAY_MS) program.error(`error: a report has ${MAX_REPORT_DAYS} days at most`);
  const gateway = settingsOf(options).gateway.name;
  return read(options, (reader) => {
    const known = reader.meters().map(({ id }) => id);
    const expected = options.meter === undefined ? known : known.filter((id) => id === options.meter);
    const frame = { gateway, nowMs, fromMs, toMs, expected };
    return qualityReport(
      reader.quality({ fromMs: epochMs(fromMs), toMs: epochMs(toMs), ...only(options, 'meter') }),
      frame,
    );
  });
}

function read<Result>(options: Common, query: (reader: ReturnType<typeof openReader>) => Result): Result {
  const reader = openReader(bufferPath(settingsOf(options)));
  try {
    return query(reader);
  } finally {
    reader.close();
  }
}

function only<Options extends object, Key extends keyof Options>(options: Options, ...keys: Key[]): Pick<Options, Key> {
  return Object.fromEntries(keys.filter((key) => key in options).map((key) => [key, options[key]])) as Pick<
    Options,
    Key
  >;
}

function print(options: Common, document: unknown, screen: () => string): void {
  console.log(options.json === true ? JSON.stringify(document) : screen());
}

function parseLimit(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 10_000)
    throw new InvalidArgumentError('a whole number from 1 to 10000');
  return value;
}

function parseDay(text: string): number {
  const atMs = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) throw new InvalidArgumentError('a day as 2026-01-31');
  return atMs;
}

function parseMeter(text: string): MeterId {
  const meter = parseMeterId(text);
  if (meter === undefined) throw new InvalidArgumentError(METER_ID_RULE);
  return meter;
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(describeFailure(error));
  process.exitCode = 1;
}
