import type { Clock } from '../domain/clock.js';
import { type Backlog, type BacklogView, rowsOf } from './backlog.js';
import { damageInWords } from './damage-check.js';
import type { FleetView } from './fleet.js';
import { type Found, judgeHealth } from './health.js';
import type { LiveSource, LiveView, ReadSource } from './source.js';
import type { Health, Overview } from './wire.js';

export interface Surroundings {
  readonly gateway: string;
  readonly clock: Clock;
  readonly source: ReadSource;
  readonly live: LiveSource;
  readonly fleet: FleetView;
  /** Counted anew each time when not given. */
  readonly backlog?: BacklogView;
}

export async function readHealth(given: Surroundings): Promise<Health> {
  const { clock, fleet } = given;
  const live = await ask(given);
  const backlog = attempt(() => backlogOf(given, live));
  return judgeHealth({
    live,
    fleet: attempt(() => fleet.read()),
    backlogRows: rowsOf(backlog.ok ? backlog.value : NONE),
    damage: damageOf(given),
    nowMs: clock.now(),
  });
}

export async function readOverview(given: Surroundings): Promise<Overview> {
  const { clock, source, fleet, gateway } = given;
  const live = await ask(given);
  const meters = fleet.read();
  const nowMs = live.ok ? live.value.clock.nowMs : clock.now();
  const backlog = backlogOf(given, live);
  const { readings, rejected } = source.totals();
  const view = live.ok ? live.value : undefined;
  return {
    gateway,
    nowMs,
    startedAtMs: view?.startedAtMs ?? null,
    head: source.head(),
    health: judgeHealth({
      live,
      fleet: { ok: true, value: meters },
      backlogRows: rowsOf(backlog),
      damage: damageOf(given),
      nowMs,
    }),
    readings,
    rejected,
    rejectedByReason: source.rejectedCounts(),
    backlog,
    meters: { known: meters.rows.length, silent: meters.silent.length },
    clock: clockOf(view),
    disk: diskOf(view),
    connections: view?.connections ?? null,
    link: view === undefined ? null : { state: view.link.state, lastSuccessMs: view.link.lastSuccessMs },
    bundle: bundleOf(view),
  };
}

function clockOf(view: LiveView | undefined): Overview['clock'] {
  if (view === undefined) return null;
  const { trust, held, machineAheadMs } = view.clock;
  const known = trust.state === 'trusted' ? { by: trust.by, why: null } : { by: null, why: trust.why };
  return { ...known, held, machineAheadMs };
}

function diskOf(view: LiveView | undefined): Overview['disk'] {
  if (view === undefined) return null;
  const { usableBytes, growthPerDay, autonomyDays, writtenPerDay, cardLifeDays, commitWindowMs } = view.disk;
  return { usableBytes, growthPerDay, autonomyDays, writtenPerDay, cardLifeDays, commitWindowMs };
}

function bundleOf(view: LiveView | undefined): Overview['bundle'] {
  const bundle = view?.bundle ?? null;
  if (bundle === null) return null;
  const detail = bundle.state === 'active' ? bundle.precision : bundle.detail;
  return { state: bundle.state, version: bundle.version, detail };
}

async function ask({ live, fleet }: Surroundings): Promise<Found<LiveView>> {
  try {
    const view = await live.view();
    fleet.gatewayStarted(view.startedAtMs);
    return { ok: true, value: view };
  } catch (error) {
    return { ok: false, error };
  }
}

/** A buffer that cannot be read is told of elsewhere. */
function damageOf({ source, clock }: Surroundings): string | undefined {
  const damages = attempt(() => source.damages());
  return damages.ok ? damageInWords(damages.value, clock.now()) : undefined;
}

function attempt<T>(read: () => T): Found<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    return { ok: false, error };
  }
}

const NONE: Backlog = { reading: 0, slot: 0, forecast: 0, anomaly: 0 };

/** None where nothing is to be sent: else all that was ever stored would count, and be counted. */
function backlogOf({ source, backlog }: Surroundings, live: Found<LiveView>): Backlog {
  if (live.ok && live.value.link.state === 'off') return NONE;
  return backlog === undefined ? source.backlog() : backlog.read();
}
