import type { Clock } from '../domain/clock.js';
import type { Meter } from '../domain/meter.js';
import { expectedIntervalMs, type SilenceRules, silentSince } from '../domain/silence.js';
import type { StoredReading } from '../domain/stored.js';
import { readingRow } from './rows.js';
import type { ReadSource } from './source.js';
import type { MeterList, MeterRow, MeterState } from './wire.js';

export interface Fleet {
  readonly rows: readonly MeterRow[];
  readonly silent: readonly MeterRow[];
}

interface Context {
  readonly source: ReadSource;
  readonly clock: Clock;
  readonly silence: SilenceRules;
}

export interface FleetView {
  read(): Fleet;
  /** Nobody can have been heard before the gateway started, so silence counts from there. */
  gatewayStarted(atMs: number): void;
}

// Several open pages ask every two seconds; with 20,000 meters one answer takes tens of milliseconds.
const SNAPSHOT_MS = 1_000;

const byName = new Intl.Collator('en', { numeric: true });

/** All meters with their last reading and whether they are silent, by name. */
export function createFleetView({ source, clock, silence }: Context): FleetView {
  let snapshot: { readonly takenMs: number; readonly fleet: Fleet } | undefined;
  let startedAtMs = 0;

  function build(): Fleet {
    const last = new Map(source.latestReadings().map((reading) => [reading.meter, reading]));
    const nowMs = clock.now();
    const learned = source.learnedIntervals();
    const rowOf = (meter: Meter): MeterRow => {
      const reading = last.get(meter.id);
      const learnedIntervalMs = learned.get(meter.id);
      const heard = {
        meter: meter.id,
        lastMs: reading?.receivedAtMs,
        gatewayStartedMs: startedAtMs,
        learnedIntervalMs,
      };
      const silentSinceMs = silentSince(heard, nowMs, silence) ?? null;
      const state: MeterState = silentSinceMs !== null ? 'silent' : reading === undefined ? 'waiting' : 'reporting';
      const expectedEveryMs = expectedIntervalMs(silence, meter.id, learnedIntervalMs) ?? null;
      return { ...described(meter), state, silentSinceMs, expectedEveryMs, last: lastRow(reading) };
    };
    const rows = source
      .meters()
      .map(rowOf)
      .sort((a, b) => byName.compare(a.id, b.id));
    return { rows, silent: rows.filter((row) => row.state === 'silent') };
  }

  return {
    read() {
      const nowMs = clock.monotonicMs();
      if (snapshot === undefined || nowMs - snapshot.takenMs >= SNAPSHOT_MS) {
        snapshot = { takenMs: nowMs, fleet: build() };
      }
      return snapshot.fleet;
    },
    gatewayStarted(atMs) {
      if (atMs === startedAtMs) return;
      startedAtMs = atMs;
      snapshot = undefined;
    },
  };
}

const described = ({ id, kind, feeder, ratedPowerW }: Meter) => ({
  id,
  kind,
  feeder: feeder ?? null,
  ratedPowerW: ratedPowerW ?? null,
});

const lastRow = (reading: StoredReading | undefined) => (reading === undefined ? null : readingRow(reading));

/** `q` is looked for in the name of the meter, of its feeder, and in its state. */
export function selectMeters(fleet: Fleet, { q, limit }: { readonly q: string; readonly limit: number }): MeterList {
  const wanted = q.toLowerCase();
  const found = fleet.rows.filter((row) =>
    [row.id, row.feeder ?? '', row.state, row.kind].some((text) => text.toLowerCase().includes(wanted)),
  );
  return { known: fleet.rows.length, matched: found.length, meters: found.slice(0, limit) };
}
