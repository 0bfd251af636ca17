#!/usr/bin/env node
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Exporting } from './commands/export.js';
import type { Given } from './commands/given.js';
import type { Importing } from './commands/import.js';
import type { Adding } from './commands/users.js';
import { METER_ID_RULE, type MeterId, parseMeterId } from './domain/brand.js';
import { codeOf, messageOf, WattwardenError } from './domain/errors.js';
import { describeFailure } from './domain/failure.js';
import { REJECT_REASONS, type RejectReason } from './domain/rejection.js';
import { VERSION } from './version.js';

/**
 * The commands and their options. What a command does is loaded when it is called: an installation that has not all
 * parts still has those commands that it can run.
 */

/** Commands that live in another part of the repository, and may not be installed here. */
const PARTS = {
  up: { file: '../scripts/up.js', about: 'run everything on this machine: meters, gateway, centre, page' },
  simulate: { file: '../scripts/simulate.js', about: 'publish as a fleet of simulated meters' },
  cloud: { file: '../cloud-sync/main.js', about: 'the centre: init, add-gateway, retrain, release' },
} as const;

const ROLES = ['meter', 'gateway', 'reader'] as const satisfies readonly Adding['role'][];

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

program
  .command('run')
  .description('run the gateway until it is told to stop')
  .addOption(config())
  .action(async (given: Given) => (await import('./commands/run.js')).run(given));

program
  .command('status')
  .description('is it well, what came in, who is silent, what waits for the centre, which model serves')
  .addOption(config())
  .addOption(json())
  .action(async (given: Given) => (await import('./commands/status.js')).status(given));

program
  .command('readings')
  .description('the last readings stored, newest first')
  .addOption(config())
  .addOption(json())
  .addOption(limit())
  .option('-m, --meter <id>', 'of one meter only', parseMeter)
  .action(async (given: Given & { limit: number; meter?: MeterId }) =>
    (await import('./commands/listings.js')).readings(given),
  );

program
  .command('rejected')
  .description('the last payloads that were kept aside, with the reason')
  .addOption(config())
  .addOption(json())
  .addOption(limit())
  .addOption(new Option('-r, --reason <reason>', 'of one reason only').choices(Object.keys(REJECT_REASONS)))
  .action(async (given: Given & { limit: number; reason?: RejectReason }) =>
    (await import('./commands/listings.js')).rejected(given),
  );

program
  .command('quality')
  .description('data quality: which meters send what cannot be used, since when, and what to do about it')
  .addOption(config())
  .addOption(json())
  .option('--from <day>', 'first day, as 2026-01-31; two weeks back when not given', parseDay)
  .option('--to <day>', 'last day; today when not given', parseDay)
  .option('-m, --meter <id>', 'of one meter only', parseMeter)
  .option('--html <file>', 'write it as a page of its own')
  .action(async (given: Given & { from?: number; to?: number; meter?: MeterId; html?: string }) => {
    if (!(await import('./commands/quality.js')).quality(given)) {
      program.error('error: --from must not lie after --to, and a report has 400 days at most');
    }
  });

program
  .command('export')
  .description('write the readings of a range to a signed file, also while the gateway runs')
  .addOption(config())
  .addOption(json())
  .requiredOption('--from <time>', 'from this day or time on, as 2026-01-31 or 2026-01-31T06:00Z', parseTime)
  .option('--to <time>', 'up to before it; now when not given', parseTime)
  .option('-m, --meter <id>', 'of this meter; may be repeated', collectMeter, [])
  .requiredOption('-o, --out <file>', 'the file to write')
  .action(async (given: Exporting) => (await import('./commands/export.js')).exportRange(given));

program
  .command('import')
  .description('take in the readings of a file that export wrote; what is there already is left out')
  .argument('<file>')
  .addOption(config())
  .addOption(json())
  .option('--trusted-key <key>', 'public key of the gateway that exported it; may be repeated', collect, [])
  .action(async (file: string, given: Importing) => (await import('./commands/import.js')).importFile(file, given));

program
  .command('sync')
  .description('ask the running gateway to push and pull at once')
  .addOption(config())
  .action(async (given: Given) => (await import('./commands/sync.js')).sync(given));

program
  .command('clock')
  .description('what the time of the running gateway rests on, and how many readings wait for it')
  .addOption(config())
  .addOption(json())
  .option('--trust', 'say that the clock of this machine is right')
  .action(async (given: Given & { trust?: true }) => (await import('./commands/clock.js')).clock(given));

program
  .command('feeds')
  .description('look at how messages become readings')
  .command('try')
  .description('show which feed takes a message and what it makes of it, or why not; nothing is stored')
  .addOption(config())
  .addOption(json())
  .requiredOption('-t, --topic <topic>', 'where it was published')
  .requiredOption('-p, --payload <text>', 'what was published; - reads it from the standard input')
  .action(async (given: Given & { topic: string; payload: string }) =>
    (await import('./commands/feeds-try.js')).feedsTry(given),
  );

const configuration = program.command('config').description('look at the configuration');
configuration
  .command('check')
  .description('check it and name every fault')
  .addOption(config())
  .action(async (given: Given) => (await import('./commands/config.js')).checkConfig(given));
configuration
  .command('print')
  .description('print what is in force, defaults included and secrets masked')
  .addOption(config())
  .action(async (given: Given) => (await import('./commands/config.js')).printConfig(given));
configuration
  .command('reference')
  .description('explain every key')
  .action(async () => (await import('./commands/config.js')).printReference());

const users = program.command('users').description('who may connect to the embedded broker');
users
  .command('add')
  .description('add a user, or give one a new password: asked for, or the first line of standard input')
  .argument('<name>', 'for a meter, the name on its topics')
  .addOption(config())
  .addOption(new Option('-r, --role <role>', 'what it may do').choices(ROLES).default('meter'))
  .option('-t, --topic <filter>', 'instead of the topics of the role; may be repeated', collect, [])
  .option('--generate', 'make a password and print it')
  .option('--certificate-only', 'no password; it comes with a certificate of this name')
  .action(async (name: string, given: Adding) => (await import('./commands/users.js')).addUser(name, given));
users
  .command('remove')
  .description('remove a user; a running gateway ends the connections of that user')
  .argument('<name>')
  .addOption(config())
  .action(async (name: string, given: Given) => (await import('./commands/users.js')).removeUser(name, given));
users
  .command('list')
  .description('who is there, and what each may do')
  .addOption(config())
  .addOption(json())
  .action(async (given: Given) => (await import('./commands/users.js')).listUsers(given));

for (const [name, { file, about }] of Object.entries(PARTS)) {
  program
    .command(`${name} [arguments...]`)
    .description(about)
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (given: string[]) => {
      const part = new URL(file, import.meta.url);
      const { main } = (await import(part.href)) as { main(given: readonly string[]): Promise<void> };
      await main(given);
    });
}

function collect(filter: string, before: readonly string[]): readonly string[] {
  return [...before, filter];
}

function parseTime(text: string): number {
  const atMs = /^\d{4}-\d{2}-\d{2}(T[\d:.]+Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) throw new InvalidArgumentError('a day as 2026-01-31, or a time in UTC as 2026-01-31T06:00Z');
  return atMs;
}

function collectMeter(text: string, before: readonly MeterId[]): readonly MeterId[] {
  return [...before, parseMeter(text)];
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

/** A file or a package that is not here belongs to another installation; Node.js names it in its message. */
function inWordsOfParts(error: unknown): unknown {
  if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') return error;
  const command = process.argv[2] ?? '';
  return new WattwardenError('install.missing_part', `wattwarden ${command}: ${messageOf(error)}`, { cause: error });
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(describeFailure(inWordsOfParts(error)));
  process.exitCode = 1;
}
