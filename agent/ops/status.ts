import { age, count, days, size } from './table.js';

type Status = 'ok' | 'degraded' | 'failing';

/** What the status screen shows; the overview of the API fits it. */
export interface StatusView {
  readonly gateway: string;
  readonly nowMs: number;
  readonly startedAtMs: number | null;
  readonly health: {
    readonly status: Status;
    readonly checks: Readonly<Record<string, { readonly status: Status; readonly detail: string }>>;
  };
  readonly readings: number;
  readonly rejected: number;
  readonly rejectedByReason: Readonly<Record<string, number>>;
  readonly backlog: Readonly<Record<string, number>>;
  readonly meters: { readonly known: number; readonly silent: number };
  readonly disk: {
    readonly usableBytes: number | null;
    readonly growthPerDay: number | null;
    readonly autonomyDays: number | null;
    readonly writtenPerDay: number | null;
    readonly cardLifeDays: number | null;
  } | null;
  readonly connections: number | null;
  readonly bundle: { readonly version: string; readonly detail: string } | null;
}

const VERDICT: Record<Status, string> = {
  ok: 'is well',
  degraded: 'works, but somebody should look',
  failing: 'does not work',
};
const MARK: Record<Status, string> = { ok: '  ', degraded: '! ', failing: '!!' };

/** One screen: is it well, and if not, what is the matter. */
export function statusScreen(view: StatusView): string {
  const { health, backlog, rejectedByReason, meters, bundle } = view;
  const running = view.startedAtMs === null ? 'not running' : `running for ${age(view.nowMs - view.startedAtMs)}`;
  const reasons = Object.entries(rejectedByReason).filter(([, rows]) => rows > 0);
  const waiting = Object.entries(backlog).filter(([, rows]) => rows > 0);
  const facts: readonly (readonly [string, string])[] = [
    ['readings', `${count(view.readings)} stored, ${count(view.rejected)} kept aside${listed(reasons)}`],
    ['meters', `${count(meters.known)} known, ${count(meters.silent)} silent`],
    ['room', roomOf(view)],
    ['card', cardOf(view)],
    ['connections', view.connections === null ? 'not known' : count(view.connections)],
    [
      'backlog',
      waiting.length === 0 ? 'none' : `${waiting.map(([stream, rows]) => `${count(rows)} ${stream}`).join(', ')}`,
    ],
    ['model', bundle === null ? 'none' : `${bundle.version} (${bundle.detail})`],
  ];
  const checks = Object.entries(health.checks).map(
    ([name, { status, detail }]) => `${MARK[status]} ${name.padEnd(12)} ${detail}`,
  );
  return [
    `${view.gateway} ${VERDICT[health.status]} (${running})`,
    '',
    ...checks,
    '',
    ...facts.map(([name, text]) => `   ${name.padEnd(12)} ${text}`),
  ].join('\n');
}

const NOT_KNOWN = 'not known yet';

function roomOf({ disk }: StatusView): string {
  if (disk === null || disk.usableBytes === null) return NOT_KNOWN;
  const lasts =
    disk.autonomyDays === null || disk.growthPerDay === null
      ? `; how long it lasts is ${NOT_KNOWN}`
      : `; lasts ${days(disk.autonomyDays)} at ${size(disk.growthPerDay)} a day`;
  return `${size(disk.usableBytes)}${lasts}`;
}

function cardOf({ disk }: StatusView): string {
  if (disk === null || disk.writtenPerDay === null || disk.cardLifeDays === null) return NOT_KNOWN;
  return `${size(disk.writtenPerDay)} written a day; lasts ${days(disk.cardLifeDays)}`;
}

const listed = (reasons: readonly (readonly [string, number])[]): string =>
  reasons.length === 0 ? '' : `: ${reasons.map(([reason, rows]) => `${count(rows)} ${reason}`).join(', ')}`;
