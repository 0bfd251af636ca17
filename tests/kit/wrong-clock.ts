import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openBuffer, type Buffer as Store } from '../../agent/buffer/buffer.js';
import { openReader } from '../../agent/buffer/reader.js';
import { epochMs, type MeterId } from '../../agent/domain/brand.js';
import { systemClock } from '../../agent/domain/clock.js';
import { invariant } from '../../agent/domain/errors.js';
import { createGatewayClock, type Findings, type GatewayClock } from '../../agent/domain/gateway-clock.js';
import { silentLogger } from '../../agent/domain/log.js';
import { SLOT_MS } from '../../agent/domain/slot.js';
import type { StoredReading, StoredSlot } from '../../agent/domain/stored.js';
import type { Strictness } from '../../agent/domain/trust.js';
import { createMeterVote } from '../../agent/ops/meter-vote.js';
import { bufferOptions, validationRules, voteRules } from '../../agent/settings.js';
import { nativeFeed } from '../../agent/validate/feeds/native.js';
import { createValidator, type Validator } from '../../agent/validate/validator.js';
import { settingsSchema } from '../../config/schema.js';

/** The true time at which every story begins; a slot begins there, too. */
export const TRUE_MS = Date.UTC(2027, 4, 3, 12);
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface Place {
  readonly strictness?: Strictness;
  readonly hasCentre?: boolean;
  /** A time service runs, and has confirmed nothing until `confirm`. */
  readonly hasService?: boolean;
}

interface Sent {
  readonly meter: string;
  readonly trueMs: number;
}

/** Where a reading was placed: how far from the truth. */
export interface Placed {
  readonly row: StoredReading;
  readonly offByMs: number;
}

interface Running {
  readonly clock: GatewayClock;
  readonly store: Store;
  readonly validator: Validator;
  readonly vote: ReturnType<typeof createMeterVote>;
}

/** A gateway in a world where the true time is known to the test alone: real buffer, real validation, a clock that lies. */
export function openWorld({ strictness = 'auto', hasCentre = false, hasService = false }: Place = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'wattwarden-clocks-'));
  const settings = settingsSchema.parse({ version: 1, clock: { trust: strictness }, buffer: { slot_grace_s: 0 } });
  const sent = new Map<number, Sent>();
  const refused: string[] = [];
  let path = join(dir, 'buffer-0.sqlite');
  let kills = 0;
  let trueMs = TRUE_MS;
  let wallErrorMs = 0;
  let kernelStartedMs = TRUE_MS - HOUR;
  let kernel = 0;
  let confirmedAtMs: number | undefined;
  let nextValue = 1;
  let running: Running | undefined;

  const machine = {
    wallMs: () => trueMs + wallErrorMs,
    sinceBootMs: () => trueMs - kernelStartedMs,
    noticeSleep: () => undefined,
  };
  const now = (): Running => {
    invariant(running !== undefined, 'the gateway runs');
    return running;
  };

  function start(): void {
    const rules = { ...voteRules(settings), notBeforeMs: Date.UTC(2026, 0, 1) };
    const clock = createGatewayClock({ machine, sleep: systemClock.sleep, strictness, hasCentre, ...rules });
    const options = { ...bufferOptions(settings), path, clock, log: silentLogger, kernelBootId: `kernel-${kernel}` };
    const store = openBuffer({ ...options, beginClock: clock.begin, trust: () => clock.trust });
    const isKnown = () => clock.trust.state === 'trusted';
    const validator = createValidator(validationRules(settings), [nativeFeed], store.registeredMeters(), isKnown);
    validator.remember(store.recentReadings({ ofEach: 100, together: 10_000 }));
    running = { clock, store, validator, vote: createMeterVote(rules) };
    look();
    if (!isKnown()) validator.timeMoved(-4_000 * DAY);
  }

  function look(): void {
    const { clock, store, validator, vote } = now();
    const findings: Findings = { confirmedAtMs, serviceRuns: hasService, batteryMs: undefined, meters: vote.result() };
    const change = clock.look(findings);
    if (change === undefined) return;
    store.turnClock(change);
    clock.apply(change);
    validator.timeMoved(change.byMs, change.trust.state === 'trusted' ? clock.now() : undefined);
  }

  /** One second of the gateway's life at a time: it looks around and closes slots. */
  function tick(): void {
    look();
    const { store, clock } = now();
    while (store.closeSlots(clock.now(), 500).more);
  }

  const send = (meter: string, more: object = {}): void => receive(meter, more)();

  /** It has arrived and is stamped; what comes back commits it. */
  function receive(meter: string, more: object = {}): () => void {
    const { clock, store, validator, vote } = now();
    const value = nextValue++;
    const fields = { power_w: value / 10, import_wh: 1_000 + (trueMs - TRUE_MS) / HOUR, ...more };
    const payload = Buffer.from(JSON.stringify(fields));
    const topic = `meters/${meter}/reading`;
    const verdict = validator.validate([{ topic, payload, repeated: false, receivedAtMs: clock.now() }]);
    refused.push(...verdict.rejected.map(({ reason, detail }) => `${reason}: ${detail}`));
    for (const { meter: of, takenAtMs, timeSource } of verdict.readings)
      if (timeSource === 'meter') vote.heard(of, takenAtMs, clock.monotonicMs());
    sent.set(value, { meter, trueMs });
    return () => void store.commit(verdict);
  }

  function kill(): void {
    const { store } = now();
    const copy = join(dir, `buffer-${++kills}.sqlite`);
    for (const suffix of ['', '-wal']) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
    store.close();
    path = copy;
    running = undefined;
  }

  function reading<T>(use: (reader: ReturnType<typeof openReader>) => T): T {
    const reader = openReader(path);
    try {
      return use(reader);
    } finally {
      reader.close();
    }
  }

  return {
    start,
    kill,
    send,
    receive,
    look,
    tick,
    refused,
    get trueMs() {
      return trueMs;
    },
    get clock() {
      return now().clock;
    },
    get store() {
      return now().store;
    },
    setWall(ms: number) {
      wallErrorMs = ms - trueMs;
    },
    /** The time service sets the clock right and says so. */
    confirm() {
      wallErrorMs = 0;
      confirmedAtMs = trueMs;
    },
    /** The true time goes on, for a machine that runs: a look every second at first, later every minute. */
    pass(ms: number) {
      for (let left = ms; left > 0; ) {
        const step = Math.min(left, ms > HOUR ? MINUTE : SECOND);
        trueMs += step;
        left -= step;
        tick();
      }
    },
    /** A machine that is off; it comes back with a clock that stands there. */
    off(ms: number, wallMs: number) {
      trueMs += ms;
      kernel += 1;
      kernelStartedMs = trueMs - 10 * SECOND;
      wallErrorMs = wallMs - trueMs;
      confirmedAtMs = undefined;
    },
    /** Minutes of life of some meters, each every 30 s. */
    live(meters: readonly string[], ms: number, more: (trueMs: number) => object = () => ({})) {
      const endMs = trueMs + ms;
      while (trueMs < endMs) {
        for (const meter of meters) send(meter, more(trueMs));
        trueMs += 30 * SECOND;
        tick();
      }
    },
    /** Everything that the centre could be sent, against the truth. */
    visible: (): readonly Placed[] =>
      reading((reader) =>
        reader.stream('reading', 0, 1_000_000).map((row) => {
          const truth = sent.get(row.powerDw ?? -1);
          invariant(truth?.meter === row.meter, 'what is stored was sent');
          return { row, offByMs: row.takenAtMs - truth.trueMs };
        }),
      ),
    slots: (): readonly StoredSlot[] => reading((reader) => reader.stream('slot', 0, 1_000_000)),
    latest: () => reading((reader) => reader.latestReadings()),
    read: reading,
    sentCount: () => sent.size,
    spans() {
      const db = new Database(path, { readonly: true });
      try {
        return db.prepare<[], { trust: string; uncertainty_ms: number | null }>('select * from boot order by id').all();
      } finally {
        db.close();
      }
    },
    /** How many readings each slot of the true time has. */
    trueSlots(): ReadonlyMap<string, number> {
      const counts = new Map<string, number>();
      for (const { meter, trueMs: at } of sent.values()) {
        const key = `${meter} ${Math.floor(at / SLOT_MS) * SLOT_MS}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      return counts;
    },
    meter: (name: string) => name as MeterId,
    at: epochMs,
    close() {
      running?.store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export type World = ReturnType<typeof openWorld>;
