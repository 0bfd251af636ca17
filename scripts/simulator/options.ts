import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Clock } from '../../agent/domain/clock.js';
import { STREET } from '../../models/fleet/traits.js';
import { FAULT_KINDS, FAULTS, type FaultKind } from './faults.js';
import type { FormatChoice } from './formats/choice.js';
import { FORMAT_NAMES } from './formats/format.js';
import { DEED_KINDS, type DeedKind } from './thefts.js';

export interface Options {
  readonly url: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly meters: number;
  readonly feeders: number;
  readonly metersPerClient: number;
  readonly format: FormatChoice;
  readonly interval: number;
  readonly since?: Date;
  readonly start?: Date;
  readonly days?: number;
  readonly speed: number;
  readonly seed: number;
  readonly theft: boolean;
  readonly thefts: number;
  readonly deeds: readonly DeedKind[];
  readonly faults: readonly FaultKind[];
  readonly faultTimes: number;
  readonly unregistered: number;
  readonly missing: number;
  readonly outages: number;
  readonly shedding: number;
  readonly solar?: number;
  readonly vehicles?: number;
  readonly truth?: string;
  readonly into?: string;
  /** The long names of those that stand on the command line, and are not defaults. */
  readonly given: ReadonlySet<string>;
}

const DAY_MS = 86_400_000;

export function parseOptions(given: readonly string[], clock: Clock): Options {
  const program = new Command('wattwarden simulate')
    .description(
      'A fleet of simulated meters: households and the feeder meters above them, made from a seed.\n' +
        'They publish to a broker with QoS 1, in real time or accelerated, or are written straight into a buffer.',
    )
    .optionsGroup('Where to:')
    .option('-u, --url <url>', 'the broker: mqtt://, mqtts://, ws:// or wss://', 'mqtt://127.0.0.1:1883')
    .option('--user <name>', 'of all clients at the broker')
    .option('--password-file <file>', 'the password of that user')
    .option('--ca <file>', 'who has signed the broker’s certificate (PEM)')
    .option('--cert <file>', 'client certificate (PEM), with --key')
    .option('--key <file>', 'its private key')
    .option(
      '--meters-per-client <count>',
      '1: each meter is a client of its own; up to 100 share one',
      whole(1, 100),
      1,
    )
    .option('--into <buffer>', 'no broker: slots of --days days straight into this new buffer file')
    .optionsGroup('Who:')
    .option('-m, --meters <count>', 'customers', whole(1, 20_000), 25)
    .option('-f, --feeders <count>', 'feeder meters above them', whole(0, 1_000), 2)
    .option('--seed <seed>', 'the same seed and the same options publish the same bytes', whole(0, 2 ** 31), 1)
    .option('--solar <share>', `of the customers have panels (${STREET.solar} unless set)`, real(0, 1))
    .option('--vehicles <share>', `of the customers charge a vehicle (${STREET.vehicle} unless set)`, real(0, 1))
    .option('--unregistered <count>', 'households of each feeder without a meter', whole(0, 100), 0)
    .option('--missing <count>', 'customers whose meters never say anything', whole(0, 20_000), 0)
    .optionsGroup('When:')
    .option('-i, --interval <seconds>', 'between two readings of a meter', real(0.1, 3_600), 5)
    .option('--since <time>', 'send the past from this moment (ISO 8601) on first, a reading per slot', pastTime(clock))
    .option('--start <time>', 'the simulated moment of the beginning; now, or --days before today with --speed', time)
    .option('--days <days>', 'simulated days after which it ends by itself', real(0.001, 3_660))
    .addOption(new Option('--speed <times>', 'simulated seconds in a second, or max').argParser(speed).default(1))
    .optionsGroup('What they send:')
    .addOption(
      new Option('--format <format>', 'as which devices they publish')
        .choices([...FORMAT_NAMES, 'mixed'])
        .default('native'),
    )
    .option('--faults <kinds>', `all, or of: ${FAULT_KINDS.join(', ')}`, oneOrMore(FAULT_KINDS), [])
    .option('--fault-times <times>', 'how many times as often as usual', real(0, 100), 1)
    .option('--outages <count>', 'of each feeder in a month', real(0, 300), 0)
    .option('--shedding <hours>', 'each second day, feeder by feeder', real(0, 12), 0)
    .optionsGroup('Who steals:')
    .option('--theft', 'the first customer has bypassed its meter for three hours', false)
    .option('--thefts <count>', 'so many customers, each in a way of its own', whole(0, 20_000), 0)
    .option('--deeds <kinds>', `of: ${DEED_KINDS.join(', ')}`, oneOrMore(DEED_KINDS), DEED_KINDS)
    .option('--truth <file>', 'what really was, as lines of JSON: thefts, faults, energy of each meter and day')
    .addHelpText(
      'after',
      `\nFaults, and how often a meter has each on a day:\n${faultLines()}\n\nSee docs/simulator.md.`,
    );
  program.parse(given, { from: 'user' });
  const words = program.options.filter((option) => program.getOptionValueSource(option.attributeName()) === 'cli');
  return { ...program.opts<Omit<Options, 'given'>>(), given: new Set(words.map(({ long }) => long ?? '')) };
}

const faultLines = (): string =>
  FAULT_KINDS.map((kind) => `  ${kind.padEnd(16)} ${String(FAULTS[kind].perDay).padEnd(5)} ${FAULTS[kind].about}`).join(
    '\n',
  );

const real = (min: number, max: number) => (text: string) => {
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max))
    throw new InvalidArgumentError(`a number from ${min} to ${max}`);
  return value;
};

const whole = (min: number, max: number) => (text: string) => {
  const value = real(min, max)(text);
  if (!Number.isInteger(value)) throw new InvalidArgumentError(`a whole number from ${min} to ${max}`);
  return value;
};

const speed = (text: string): number => (text === 'max' ? Number.POSITIVE_INFINITY : real(0.01, 1e6)(text));

function time(text: string): Date {
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) throw new InvalidArgumentError('a time like 2026-01-05T00:00:00Z');
  return moment;
}

const pastTime =
  (clock: Clock) =>
  (text: string): Date => {
    const moment = time(text);
    const agoMs = clock.now() - moment.getTime();
    if (!(agoMs >= 0 && agoMs <= 400 * DAY_MS)) throw new InvalidArgumentError('a time of the last 400 days');
    return moment;
  };

const oneOrMore =
  <Kind extends string>(kinds: readonly Kind[]) =>
  (text: string): readonly Kind[] => {
    if (text === 'all') return kinds;
    if (text === 'none') return [];
    return text.split(',').map((word) => {
      const kind = kinds.find((one) => one === word.trim());
      if (kind === undefined) throw new InvalidArgumentError(`all, none, or some of ${kinds.join(', ')}`);
      return kind;
    });
  };

/** What the client shows at the broker. */
export function loginOf({ user, passwordFile, ca, cert, key }: Options) {
  return {
    ...(user === undefined ? {} : { username: user }),
    ...(passwordFile === undefined ? {} : { password: readFileSync(passwordFile, 'utf8').trimEnd() }),
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    ...(cert === undefined ? {} : { cert: readFileSync(cert) }),
    ...(key === undefined ? {} : { key: readFileSync(key) }),
  };
}
