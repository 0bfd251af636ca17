import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { epochMs, type MeterId, parseMeterId } from '../../domain/brand.js';
import { type Clock, seededRandom } from '../../domain/clock.js';
import { invariant } from '../../domain/errors.js';
import { silentLogger } from '../../domain/log.js';
import type { SlotScore } from '../../domain/slot.js';
import { type Buffer, openBuffer } from '../buffer.js';
import { checkpoint } from '../checkpoint.js';
import { type BufferReader, openReader } from '../reader.js';
import { createHousehold, type Household } from './household.js';
import { fillLog, packedBytes, repeatPackedDay } from './made-history.js';

export interface BufferBench {
  readonly meters: number;
  /** Rows in the log for the second part. */
  readonly fullRows: number;
  readonly dir: string;
  say(text: string): void;
}

const DAY_MS = 86_400_000;
const FROM_MS = 20_000 * DAY_MS;
const STEP_MS = 10_000;
const SEED = 7;
const READS = 25;
const APPENDS = 150;
/** As many rows as are then read, at the least. */
const WARM_APPENDS = 60;
const BATCH = 1_000;

/** A day of readings every ten seconds, accelerated: appended, closed, scored and packed; then what reading them costs. */
export async function benchBuffer({ meters, fullRows, dir, say }: BufferBench) {
  const clock = handClock();
  const days = openBoth(join(dir, 'buffer.sqlite'), clock);
  try {
    say(`a day of ${meters} meters`);
    const day = aDay({ ...days, clock, meters });
    say('history');
    const history = aHistory(days, meters);
    say(`${fullRows} rows`);
    const { appends, cursor } = withFullLog({ dir, clock, fullRows });
    return {
      metrics: { ...day, ...history },
      ratios: { appends_full_vs_empty: appends, cursor_full_vs_empty: cursor },
    };
  } finally {
    days.close();
  }
}

interface Running {
  readonly buffer: Buffer;
  readonly reader: BufferReader;
  readonly path: string;
}

function openBoth(path: string, clock: HandClock): Running & { close(): void } {
  const buffer = openBuffer({
    path,
    clock,
    log: silentLogger,
    slotGraceMs: 15_000,
    maxRejected: 100,
    maxRejectedBytes: 1e6,
    retentionMs: 1e15,
    keepUnsettled: false,
    keepUnanalysed: true,
  });
  const reader = openReader(path);
  return {
    path,
    buffer,
    reader,
    close() {
      reader.close();
      buffer.close();
    },
  };
}

function aDay({ buffer, reader, clock, path, meters }: Running & { clock: HandClock; meters: number }) {
  const random = seededRandom(SEED);
  const ids = Array.from({ length: meters }, (_, n) => meterId(`m${n}`));
  const homes = ids.map((id) => createHousehold(id, seededRandom(SEED + Number(id.slice(1)))));
  const scores = new Map<MeterId, number>();
  const spent = { append: 0, close: 0, analyse: 0, pack: 0, longestPackMs: 0 };
  const writtenBefore = writtenBytes();
  let readings = 0;
  const endMs = FROM_MS + DAY_MS;
  for (let atMs = FROM_MS; atMs < endMs + 60_000; atMs += STEP_MS) {
    clock.set(atMs);
    const batch = { readings: homes.map((home: Household) => home.next(epochMs(atMs))), rejected: [] };
    spent.append += timed(() => buffer.commit(batch));
    readings += batch.readings.length;
    if (atMs % 60_000 !== 0) continue;
    spent.close += timed(() => closeAll(buffer, atMs));
    spent.analyse += timed(() => scoreAll(buffer, reader, { scores, random }));
    checkpoint(path);
  }
  while (buffer.closeSlots(epochMs(endMs + 3_600_000), 500).more);
  scoreAll(buffer, reader, { scores, random });
  checkpoint(path);
  const loggedBytes = writtenBytes() - writtenBefore;
  const nowMs = endMs + 3 * 3_600_000;
  for (let more = true; more; ) {
    const tookMs = cpuTimed(() => {
      more = buffer.packDays(epochMs(nowMs)).more;
    });
    spent.pack += tookMs;
    spent.longestPackMs = Math.max(spent.longestPackMs, tookMs);
  }
  checkpoint(path);
  const packingBytes = writtenBytes() - writtenBefore - loggedBytes;
  return {
    append_rows_per_s: Math.round(readings / (spent.append / 1_000)),
    append_and_close_rows_per_s: Math.round(readings / ((spent.append + spent.close) / 1_000)),
    disk_bytes_per_reading: round(loggedBytes / readings),
    disk_bytes_per_reading_packing: round(packingBytes / readings),
    close_us_per_slot: round((spent.close * 1_000) / (meters * 288)),
    pack_cpu_ms_per_meter_day: round(spent.pack / meters),
    pack_step_longest_cpu_ms: round(spent.longestPackMs),
    packed_bytes_per_meter_day: Math.round(packedBytes(path) / meters),
  };
}

function aHistory({ reader, path }: Running, meters: number) {
  const day = FROM_MS / DAY_MS;
  repeatPackedDay(path, { day, days: 365, meters: 1 });
  repeatPackedDay(path, { day, days: 28, meters });
  const first = meterId('m0');
  const year = [epochMs(FROM_MS - 365 * DAY_MS), epochMs(FROM_MS)] as const;
  invariant(reader.slotsOf(first, ...year).length === 365 * 288, 'a year of slots');
  const rowsMs = Array.from({ length: READS }, () => cpuTimed(() => reader.slotsOf(first, ...year)));
  const yearMs = Array.from({ length: READS }, () => cpuTimed(() => reader.measuredOf(first, day - 365, day)));
  const loadMs = Array.from({ length: READS }, () => cpuTimed(() => reader.loadOf(first, day - 365, day)));
  const windowsMs = cpuTimed(() => Array.from(reader.readAnalysed(8, () => undefined)));
  const profilesMs = cpuTimed(() => {
    for (let n = 0; n < meters; n += 1) reader.loadOf(meterId(`m${n}`), day - 27, day + 1);
  });
  return {
    year_of_one_meter_cpu_ms: round(median(yearMs)),
    year_as_rows_cpu_ms: round(median(rowsMs)),
    year_of_load_cpu_ms: round(median(loadMs)),
    windows_8_days_cpu_ms_per_1000_meters: round((windowsMs * 1_000) / meters),
    load_28_days_cpu_ms_per_1000_meters: round((profilesMs * 1_000) / meters),
  };
}

/** An empty log and a full one, in turns: a slower moment of the machine is one for both. */
function withFullLog({ dir, clock, fullRows }: { dir: string; clock: HandClock; fullRows: number }) {
  const logs = [0, fullRows].map((rows) => {
    const log = openBoth(join(dir, `log-${rows}.sqlite`), clock);
    const home = createHousehold(meterId('m0'), seededRandom(SEED));
    let atMs = FROM_MS;
    const append = () => {
      const readings = Array.from({ length: BATCH }, (_, n) => home.next(epochMs(atMs + 100 * n)));
      atMs += 100 * BATCH;
      return timed(() => log.buffer.commit({ readings, rejected: [] }));
    };
    append();
    fillLog(log.path, rows);
    const read = () => timed(() => log.reader.stream('reading', log.buffer.head().seq - 50_000, 5_000));
    return { log, append, read };
  });
  try {
    const turns = (count: number, of: (entry: (typeof logs)[number]) => number): readonly number[] => {
      const times = Array.from({ length: count }, () => logs.map(of));
      return logs.map((_, which) => median(times.map((both) => both[which] ?? Number.NaN)));
    };
    const move = () => logs.forEach(({ log }) => void checkpoint(log.path));
    turns(WARM_APPENDS, ({ append }) => append());
    move();
    const [appendEmpty = 0, appendFull = 0] = turns(APPENDS, ({ append }) => append());
    move();
    const [readEmpty = 0, readFull = 0] = turns(2 * READS, ({ read }) => read());
    return { appends: round(appendFull / appendEmpty), cursor: round(readFull / readEmpty) };
  } finally {
    for (const { log } of logs) log.close();
  }
}

function closeAll(buffer: Buffer, nowMs: number): void {
  while (buffer.closeSlots(epochMs(nowMs), 500).more);
}

interface Scoring {
  readonly scores: Map<MeterId, number>;
  readonly random: () => number;
}

/** As the models would: each score near the one before, and calibrated. */
function scoreAll(buffer: Buffer, reader: BufferReader, { scores, random }: Scoring): void {
  for (;;) {
    const { slots, upTo } = reader.slotsToAnalyse(reader.analysedUpTo(), 500);
    if (slots.length === 0) return;
    const given = slots.map(({ meter, slotStartMs }): SlotScore => {
      const rawScore = Math.min(0.7, Math.max(0.35, (scores.get(meter) ?? 0.45) + 0.012 * (random() - 0.5)));
      scores.set(meter, rawScore);
      const score = 1 / (1 + Math.exp(-(rawScore - 0.52) / 0.035));
      return { meter, slotStartMs, rawScore, score, modelVersion: 'bench' };
    });
    buffer.storeAnalysis({ forecasts: [], scores: given, anomalies: [], analysedUpTo: upTo });
  }
}

function timed(work: () => unknown): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

/** For what waits for no disk: that others use the machine too does not count. */
function cpuTimed(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function writtenBytes(): number {
  const bytes = /^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1];
  invariant(bytes !== undefined, 'the kernel counts what is written');
  return Number(bytes);
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const round = (value: number): number => Number(value.toPrecision(4));

function meterId(name: string): MeterId {
  const id = parseMeterId(name);
  invariant(id !== undefined, `${name} names a meter`);
  return id;
}

interface HandClock extends Clock {
  set(ms: number): void;
}

function handClock(): HandClock {
  let now = FROM_MS;
  return {
    now: () => epochMs(now),
    monotonicMs: () => now - FROM_MS,
    sleep: () => Promise.resolve(),
    set(to) {
      now = to;
    },
  };
}
