import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../agent/domain/clock.js';
import { createStreet } from '../../models/fleet/street.js';
import { STREET } from '../../models/fleet/traits.js';
import { FORMATS } from './formats/choice.js';
import { loginOf, type Options } from './options.js';
import type { SimulationOptions } from './run.js';
import { planThefts, type Theft } from './thefts.js';

const DAY_MS = 86_400_000;
const THEFT_BEFORE_MS = DAY_MS / 8;
/** What still runs through the meter of `--theft`. */
const BYPASS_LEFT = 0.04;

export type Plan = Omit<SimulationOptions, 'signal' | 'onProgress' | 'onFault' | 'clock'>;

/** From the words of the command line to a simulation; a sentence where they contradict each other. */
export function planOf(options: Options, clock: Clock): Plan | { readonly contradiction: string } {
  const { meters, feeders, seed, format, days, since } = options;
  const startMs = startOf(options, clock);
  const endMs = days === undefined ? Number.POSITIVE_INFINITY : startMs + days * DAY_MS;
  const contradiction = contradictionIn(options);
  if (contradiction !== undefined) return { contradiction };
  const equipment = {
    ...STREET,
    ...(options.solar === undefined ? {} : { solar: options.solar }),
    ...(options.vehicles === undefined ? {} : { vehicle: options.vehicles }),
  };
  const fleet = {
    seed,
    customers: meters,
    feeders,
    equipment,
    unregistered: options.unregistered,
    outagesPerMonth: options.outages,
    sheddingHours: options.shedding,
  };
  const bypass: Theft = {
    customer: 0,
    fromMs: startMs - THEFT_BEFORE_MS,
    toMs: Number.POSITIVE_INFINITY,
    deed: { kind: 'bypass', left: BYPASS_LEFT },
  };
  const thefts = options.theft
    ? [bypass]
    : planThefts(createStreet({ ...fleet, stepMinutes: 1 }), {
        count: options.thefts,
        kinds: options.deeds,
        seed,
        fromMs: startMs,
        toMs: Math.min(endMs, startMs + UNLIMITED_DAYS * DAY_MS),
      });
  if ('shortage' in thefts) return { contradiction: thefts.shortage };
  return {
    url: options.url,
    login: loginOf(options),
    fleet,
    thefts,
    format,
    metersPerClient: options.metersPerClient,
    missing: options.missing,
    historyFromMs: since?.getTime() ?? startMs,
    startMs,
    endMs,
    intervalMs: Math.round(options.interval * 1_000),
    speed: options.speed,
    faults: { seed, kinds: options.faults, times: options.faultTimes },
  };
}

const BROKER = /^(mqtts?|wss?):\/\/./;

/** Without an end, thieves begin within the first two weeks. */
const UNLIMITED_DAYS = 28;

/** Accelerated, so that it ends before today: the same bytes whenever on a day it is run. */
function startOf({ start, speed, into, days = 0 }: Options, clock: Clock): number {
  if (start !== undefined) return start.getTime();
  if (speed === 1 && into === undefined) return clock.now();
  return Math.floor(clock.now() / DAY_MS) * DAY_MS - Math.ceil(days) * DAY_MS;
}

function contradictionIn(options: Options): string | undefined {
  const { format, speed, since, days, meters, feeders, theft, thefts, deeds, missing, into, truth, url } = options;
  // Not repeated: a password may stand in it.
  if (!BROKER.test(url) || !URL.canParse(url))
    return '--url names no broker: its address begins with mqtt://, mqtts://, ws:// or wss://';
  for (const [flag, file] of Object.entries({ '--truth': truth, '--into': into })) {
    if (file !== undefined && !existsSync(dirname(file))) return `${flag}: there is no directory ${dirname(file)}`;
  }
  if (format !== 'mixed' && !FORMATS[format].hasTime && (speed !== 1 || since !== undefined)) {
    return `readings of ${format} carry no time: they can be published in real time only, without --since`;
  }
  if (format === 'dsmr-reader' && (meters > 1 || feeders > 0)) {
    return 'a message of dsmr-reader names no meter: use --meters 1 --feeders 0';
  }
  if (speed !== 1 && days === undefined) return '--speed needs --days: when does the simulated time end?';
  if (thefts > 0 && deeds.length === 0) return '--thefts without --deeds: what do they do?';
  if (thefts > meters) return `--thefts ${thefts} are more than the ${meters} customers`;
  if (theft && thefts > 0) return '--theft and --thefts exclude each other';
  if (missing >= meters) return '--missing leaves no customer';
  return into === undefined ? undefined : contradictionOfFilling(into, options);
}

/** Of messages and of the way to a broker. */
const NOT_INTO = [
  '--url',
  '--user',
  '--password-file',
  '--ca',
  '--cert',
  '--key',
  '--meters-per-client',
  '--format',
  '--speed',
  '--interval',
  '--since',
  '--fault-times',
];

function contradictionOfFilling(into: string, { days, start, faults, outages, shedding, given }: Options) {
  if (days === undefined || !Number.isInteger(days)) return '--into needs --days, whole ones';
  if (start !== undefined && start.getTime() % DAY_MS !== 0) return '--into begins at a midnight';
  if (existsSync(into)) return `--into needs a new file, and ${into} exists`;
  if (faults.length > 0 || outages > 0 || shedding > 0)
    return '--into writes what came in whole: --faults, --outages and --shedding need a broker';
  const idle = NOT_INTO.filter((flag) => given.has(flag));
  if (idle.length > 0) return `--into writes slots and sends nothing: ${idle.join(', ')} would change nothing`;
  return undefined;
}
