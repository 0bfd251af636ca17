import type { EpochMs } from '../domain/brand.js';
import type { Clock, Random } from '../domain/clock.js';
import { type DiskFigures, type DiskState, WRITE_CAUSES, type WrittenBytes } from '../domain/disk.js';
import type { Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import { type Loop, supervise } from '../domain/supervise.js';
import { createWriteBudget } from './write-budget.js';

interface Endurance {
  growthPerDay(now: EpochMs): number | undefined;
  /** Of readings that may be dropped before any is lost to the centre. */
  droppableBytes(): number;
  writtenLastDay(now: EpochMs): number;
  writtenPerDay(now: EpochMs): number | undefined;
  saveWritten(now: EpochMs): void;
}

export interface EnduranceRules {
  readonly bytesPerDay: number;
  readonly windowMs: number;
  /** Bytes that the card takes in its life. */
  readonly cardBytes: number;
}

interface Given {
  readonly endurance: Endurance;
  written(): WrittenBytes;
  disk(): DiskState;
  readonly rules: EnduranceRules;
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface FiguresPart extends Part {
  readonly figures: DiskFigures;
  /** Asked for each commit. */
  readonly commitWindowMs: number;
}

const EVERY_MS = 60_000;
const BACKOFF = { firstMs: 5_000, maxMs: 60_000 };
const DAY_S = 86_400;
const DAY_MS = DAY_S * 1_000;
/** A kill loses what was counted since; each time writes a few pages itself. */
const SAVE_EVERY_MS = 600_000;
/** What the last minutes weigh in the rate of now. */
const MEMORY = 0.8;

/** Autonomy, bytes written and the life of the card, once a minute. */
export function createDiskFigures(given: Given, { clock, random, log, metrics }: Surroundings): FiguresPart {
  const { endurance, rules } = given;
  const budget = createWriteBudget(rules);
  const startedAtMs = clock.monotonicMs();
  let counted = given.written();
  let countedAtMs = startedAtMs;
  let perDayNow: number | undefined;
  let savedAtMs = startedAtMs;
  let found: Omit<DiskFigures, 'commitWindowMs'> = NOTHING_YET;
  let loop: Loop | undefined;

  function count(): void {
    const now = given.written();
    for (const cause of WRITE_CAUSES) {
      metrics.inc('disk_written_bytes_total', Math.max(0, now[cause] - counted[cause]), { cause });
    }
    const nowMs = clock.monotonicMs();
    // A new file in place of a damaged one counts from zero.
    const rate = (Math.max(0, sumOf(now) - sumOf(counted)) * DAY_MS) / Math.max(1, nowMs - countedAtMs);
    perDayNow = perDayNow === undefined ? rate : MEMORY * perDayNow + (1 - MEMORY) * rate;
    counted = now;
    countedAtMs = nowMs;
  }

  function find(): void {
    const now = clock.now();
    const growthPerDay = endurance.growthPerDay(now) ?? null;
    const writtenPerDay = endurance.writtenPerDay(now) ?? sinceStart();
    const { usableBytes } = given.disk();
    const isKnown = growthPerDay !== null && growthPerDay > 0 && usableBytes !== null;
    found = {
      growthPerDay,
      autonomyDays: isKnown ? (usableBytes + endurance.droppableBytes()) / growthPerDay : null,
      writtenLastDay: endurance.writtenLastDay(now),
      writtenPerDay,
      cardLifeDays: writtenPerDay === null || writtenPerDay <= 0 ? null : rules.cardBytes / writtenPerDay,
    };
  }

  /** A first guess, until a whole day has passed. */
  function sinceStart(): number | null {
    const elapsedMs = clock.monotonicMs() - startedAtMs;
    return elapsedMs < SAVE_EVERY_MS ? null : (sumOf(given.written()) * DAY_MS) / elapsedMs;
  }

  async function turn(): Promise<number> {
    if (clock.monotonicMs() - countedAtMs >= EVERY_MS / 2) {
      count();
      budget.update({ lastDay: endurance.writtenLastDay(clock.now()), perDay: perDayNow ?? 0 });
    }
    find();
    report();
    if (clock.monotonicMs() - savedAtMs >= SAVE_EVERY_MS) {
      endurance.saveWritten(clock.now());
      savedAtMs = clock.monotonicMs();
    }
    return EVERY_MS;
  }

  function report(): void {
    if (found.autonomyDays !== null) metrics.set('disk_autonomy_seconds', found.autonomyDays * DAY_S);
    if (found.cardLifeDays !== null) metrics.set('card_life_seconds', found.cardLifeDays * DAY_S);
    metrics.set('commit_window_seconds', budget.windowMs / 1_000);
  }

  return {
    name: 'disk figures',
    get figures() {
      return { ...found, commitWindowMs: budget.windowMs };
    },
    get commitWindowMs() {
      return budget.windowMs;
    },
    async start() {
      loop = supervise(
        {
          name: 'disk figures',
          backoff: BACKOFF,
          turn,
          onFailure: () => metrics.inc('loop_failures_total', 1, { loop: 'disk figures' }),
        },
        { clock, random, log },
      );
    },
    async stop() {
      await loop?.stop();
      endurance.saveWritten(clock.now());
    },
  };
}

const NOTHING_YET = {
  growthPerDay: null,
  autonomyDays: null,
  writtenLastDay: 0,
  writtenPerDay: null,
  cardLifeDays: null,
};

const sumOf = (written: WrittenBytes): number => Object.values(written).reduce((sum, bytes) => sum + bytes, 0);
