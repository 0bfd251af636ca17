import { messageOf } from '../domain/errors.js';
import { describeTrust } from '../domain/trust.js';
import type { Fleet } from './fleet.js';
import type { LiveView } from './source.js';
import type { Check, CheckStatus, Health } from './wire.js';

/** What was found out, or why it could not be. */
export type Found<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

interface Evidence {
  readonly live: Found<LiveView>;
  readonly fleet: Found<Fleet>;
  /** Rows that the centre does not have yet. */
  readonly backlogRows: number;
  /** Of the buffer, in words; undefined when there is none to tell. */
  readonly damage: string | undefined;
  readonly nowMs: number;
}

const NAMED_METERS = 5;

const ok = (detail: string): Check => ({ status: 'ok', detail });
const degraded = (detail: string): Check => ({ status: 'degraded', detail });
const failing = (detail: string): Check => ({ status: 'failing', detail });

const NOT_KNOWN = 'Not known while the main thread does not answer.';

/** `failing`: readings are not taken in or cannot be read. `degraded`: they are, but a person should look. */
export function judgeHealth({ live, fleet, backlogRows, damage, nowMs }: Evidence): Health {
  const checks = {
    main: live.ok ? ok('The main thread answers.') : failing('The main thread does not answer.'),
    buffer: fleet.ok ? bufferCheck(damage) : failing(`The buffer cannot be read: ${messageOf(fleet.error)}.`),
    clock: live.ok ? clockCheck(live.value) : degraded(NOT_KNOWN),
    disk: live.ok ? diskCheck(live.value) : degraded(NOT_KNOWN),
    meters: fleet.ok ? metersCheck(fleet.value, nowMs) : degraded('Not known while the buffer cannot be read.'),
    centre: live.ok ? centreCheck(live.value, backlogRows, nowMs) : degraded(NOT_KNOWN),
    models: live.ok ? modelsCheck(live.value) : degraded(NOT_KNOWN),
  };
  const found = new Set(Object.values(checks).map((check) => check.status));
  const worst: CheckStatus = found.has('failing') ? 'failing' : found.has('degraded') ? 'degraded' : 'ok';
  return { status: worst, checks };
}

/** Beyond it, what else runs on the machine is told another time than this gateway goes by. */
const APART_MS = 60_000;

function clockCheck({ clock: { trust, held, machineAheadMs } }: LiveView): Check {
  const words = describeTrust(trust);
  if (trust.state === 'untrusted') return degraded(`The time is not known; ${count(held, 'reading')} wait. ${words}`);
  if (Math.abs(machineAheadMs) < APART_MS) return ok(words);
  const apart = `${duration(Math.abs(machineAheadMs))} ${machineAheadMs > 0 ? 'ahead' : 'behind'}`;
  return degraded(`The clock of this machine is ${apart}; the gateway goes by its own. ${words}`);
}

const bufferCheck = (damage: string | undefined): Check =>
  damage === undefined ? ok('The buffer is read.') : degraded(damage);

function metersCheck({ rows, silent }: Fleet, nowMs: number): Check {
  if (rows.length === 0) return ok('No meter is known yet.');
  if (silent.length === 0) return ok(`${count(rows.length, 'meter')}, none silent.`);
  const names = silent
    .slice(0, NAMED_METERS)
    .map(({ id, silentSinceMs }) => (silentSinceMs === null ? id : `${id} (${duration(nowMs - silentSinceMs)})`));
  const others = silent.length > names.length ? ` and ${silent.length - names.length} more` : '';
  const verb = silent.length === 1 ? 'is' : 'are';
  return degraded(`${silent.length} of ${count(rows.length, 'meter')} ${verb} silent: ${names.join(', ')}${others}.`);
}

function diskCheck({ disk }: LiveView): Check {
  const room = bytes(disk.usableBytes ?? 0);
  switch (disk.step) {
    case 'ample':
      return ok(disk.usableBytes === null ? 'Not looked at yet.' : `Room for ${room} more.`);
    case 'ballast':
      return degraded(`The disk is short of room: ${room} left, and the ballast is released.`);
    case 'dropping':
      return degraded(
        `The disk is short of room: ${room} left; ${count(disk.dropped, 'reading')} that the centre has were dropped.`,
      );
    case 'thinning':
      return degraded(
        `The disk is short of room: ${room} left; ${count(disk.thinned, 'reading')} live on in their slots only.`,
      );
    case 'refusing':
      return failing('The disk is full: no readings are taken in until there is room.');
  }
}

function centreCheck({ link }: LiveView, backlogRows: number, nowMs: number): Check {
  if (link.state === 'off') return ok('Replication is off.');
  if (link.state === 'connected') return ok('Linked to the centre.');
  const since = link.lastSuccessMs === null ? '' : ` for ${duration(nowMs - link.lastSuccessMs)}`;
  const waiting = backlogRows === 0 ? 'nothing waits' : `${count(backlogRows, 'row')} wait in the buffer`;
  const detail = link.detail === '' ? '' : ` (${link.detail})`;
  return degraded(`No link to the centre${since}${detail}; ${waiting}.`);
}

function modelsCheck({ bundle }: LiveView): Check {
  if (bundle === null) return ok('No model yet.');
  if (bundle.state === 'active') return ok(`Model ${bundle.version} serves.`);
  return degraded(`Model ${bundle.version} was refused: ${bundle.detail}.`);
}

const count = (n: number, noun: string): string => `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;

function bytes(n: number): string {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, n)) / 3));
  return `${(n / 1_000 ** unit).toLocaleString('en', { maximumFractionDigits: unit < 3 ? 0 : 1 })} ${UNITS[unit]}`;
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

function duration(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 1) return 'less than a minute';
  if (minutes < 120) return count(minutes, 'minute');
  const hours = Math.round(minutes / 60);
  return hours < 48 ? count(hours, 'hour') : count(Math.round(hours / 24), 'day');
}
