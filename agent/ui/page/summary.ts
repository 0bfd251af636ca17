import type { Check, Overview } from '../../api/wire.js';
import { byId, createList, html, setAttribute, setText } from './elements.js';
import { formatAge, formatCount, formatWhole } from './format.js';

interface Tile {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly status: Check['status'];
}

const health = byId('health');
const verdict = byId('verdict');
const listFindings = createList<string>(
  byId('findings'),
  (finding) => finding,
  (finding) => ({ element: html('li', {}, finding), update: () => undefined }),
);

const NUMBERS = ['No', 'One', 'Two', 'Three', 'Four', 'Five'];

export function showHealth({ health: { status, checks }, meters }: Overview): void {
  const findings = Object.values(checks).filter((check) => check.status !== 'ok');
  setAttribute(health, 'data-status', status);
  const waiting = status === 'ok' && meters.known === 0;
  setText(verdict, waiting ? 'Waiting for the first meter.' : verdictOf(status, findings.length));
  listFindings(status === 'ok' ? [checks.meters.detail] : findings.map((check) => check.detail));
}

function verdictOf(status: Check['status'], findings: number): string {
  if (status === 'ok') return 'All is well.';
  if (status === 'failing') return 'The gateway is in trouble.';
  return findings === 1 ? 'One thing needs attention.' : `${NUMBERS[findings] ?? findings} things need attention.`;
}

export function showLost(title: string, words: string): void {
  setAttribute(health, 'data-status', 'failing');
  setText(verdict, title);
  listFindings([words]);
}

const listTiles = createList<Tile>(
  byId('tiles'),
  (tile) => tile.name,
  (tile) => {
    const value = html('dd', { class: 'value' });
    const note = html('dd', { class: 'tile-note' });
    const element = html('div', { class: 'tile' }, html('dt', {}, tile.name), value, note);
    return {
      element,
      update(now) {
        setAttribute(element, 'data-status', now.status);
        setText(value, now.value);
        setAttribute(value, 'title', now.value);
        setText(note, now.note);
      },
    };
  },
);

/** `before`: an earlier overview, to tell how fast readings come in. */
export function showTiles(overview: Overview, before: Overview | undefined): void {
  const { checks } = overview.health;
  listTiles([
    {
      name: 'Meters',
      value: formatWhole(overview.meters.known),
      note: silentNote(overview),
      status: checks.meters.status,
    },
    { name: 'Readings stored', value: formatCount(overview.readings), note: rateNote(overview, before), status: 'ok' },
    { name: 'Rejected', value: formatCount(overview.rejected), note: reasonNote(overview), status: 'ok' },
    clockTile(overview),
    backlogTile(overview),
    roomTile(overview),
    centreTile(overview),
    { name: 'Model', ...modelOf(overview), status: checks.models.status },
  ]);
}

const silentNote = ({ meters }: Overview): string =>
  meters.silent === 0 ? 'none silent' : `${formatWhole(meters.silent)} silent`;

function rateNote(overview: Overview, before: Overview | undefined): string {
  if (before === undefined || overview.nowMs <= before.nowMs) return 'in the buffer';
  const perSecond = ((overview.head.seq - before.head.seq) * 1_000) / (overview.nowMs - before.nowMs);
  if (perSecond <= 0) return 'none just now';
  return perSecond < 1
    ? `${(perSecond * 60).toFixed(0)} per minute`
    : `${formatCount(Math.round(perSecond))} per second`;
}

function reasonNote({ rejectedByReason }: Overview): string {
  const [most] = Object.entries(rejectedByReason).sort(([, a], [, b]) => b - a);
  return most === undefined || most[1] === 0 ? 'nothing refused' : `mostly ${most[0].replaceAll('_', ' ')}`;
}

const WITNESSES: Readonly<Record<string, string>> = {
  synchronised: 'by a time service',
  centre: 'told by the centre',
  person: 'told by a person',
  carried: 'counted on since it was known',
  meters: 'as the meters have it',
  unverified: 'nothing confirms it',
};

function clockTile({ clock, nowMs, health }: Overview): Tile {
  const value = clock?.by == null ? 'Unknown' : new Date(nowMs).toISOString().slice(11, 19);
  const held = clock?.held ?? 0;
  const waiting = held === 0 ? 'readings wait for it' : `${formatCount(held)} readings wait for it`;
  const note = clock?.by == null ? waiting : (WITNESSES[clock.by] ?? clock.by);
  return { name: 'Time (UTC)', value, note, status: health.checks.clock.status };
}

function backlogTile({ backlog, link }: Overview): Tile {
  if (link?.state === 'off') return { name: 'Backlog', value: '–', note: 'nothing is sent', status: 'ok' };
  const rows = backlog.reading + backlog.slot + backlog.forecast + backlog.anomaly;
  const note = rows === 0 ? 'all is at the centre' : `${formatCount(backlog.reading)} of them readings`;
  return { name: 'Backlog', value: formatCount(rows), note, status: 'ok' };
}

function roomTile({ disk, health }: Overview): Tile {
  const days = disk?.autonomyDays ?? null;
  const value =
    days === null ? '–' : days < 2 ? `${Math.round(days * 24)} hours` : `${formatCount(Math.round(days))} days`;
  const note = days === null ? 'not known yet' : 'lasts at this rate';
  return { name: 'Room', value, note, status: health.checks.disk.status };
}

function centreTile({ link, nowMs, health }: Overview): Tile {
  const words = { off: 'Off', connected: 'Linked', disconnected: 'No link' } as const;
  const value = link === null ? '–' : words[link.state];
  const last = link?.lastSuccessMs ?? null;
  const never = link?.state === 'off' ? 'not configured' : 'never reached yet';
  const note = last === null ? never : `last sent ${formatAge(nowMs - last)} ago`;
  return { name: 'Centre', value, note, status: health.checks.centre.status };
}

function modelOf({ bundle }: Overview): { readonly value: string; readonly note: string } {
  if (bundle === null) return { value: '–', note: 'none yet' };
  return {
    value: bundle.version,
    note: bundle.state === 'active' ? `serves as ${bundle.detail}` : `refused: ${bundle.detail}`,
  };
}
