import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochMs, type MeterId } from '../domain/brand.js';
import { flagsOf } from '../domain/flags.js';
import { MEASURES, type Reading } from '../domain/reading.js';
import type { Sample } from './feeds/feed.js';
import { nativeFeed } from './feeds/native.js';
import { roomWh } from './register.js';
import { NOW, RULES, sampleFeed } from './test-kit.js';
import { createValidator, type Publication } from './validator.js';

/** `FUZZ_SEED` repeats a run; a failure prints its seed in any case. */
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const RUNS = { seed, numRuns: 300 };

const LIMITS = { capW: RULES.capW, toleranceWh: RULES.registerToleranceWh, maxWh: undefined };

const odd = fc.oneof(fc.double(), fc.constantFrom(0, -0, 1e308, 5e-324, 2 ** 53, -1), fc.integer());
/** Mostly what can be, so that most samples get past the ranges. */
const within = (min: number, max: number) =>
  fc.oneof({ weight: 60, arbitrary: fc.double({ min, max, noNaN: true }) }, { weight: 1, arbitrary: odd });
const register = fc.oneof(
  { weight: 8, arbitrary: within(0, 50_000) },
  { weight: 8, arbitrary: within(20_000, 21_000) },
  { weight: 2, arbitrary: fc.constantFrom(0, 215_700, 215_600, 1e9) },
);

const sample: fc.Arbitrary<Sample> = fc.record(
  {
    meter: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('m1', 'm2') }, fc.constantFrom('m3', 'm4', '../x', '')),
    ownTimeMs: fc
      .oneof(
        fc.integer({ min: NOW - 7_200_000, max: NOW + 7_200_000 }),
        fc.integer({ min: NOW - 7_200_000, max: NOW - 7_000_000 }),
        odd,
      )
      .map(epochMs),
    values: fc.record(
      {
        powerW: within(-5_000, 5_000),
        importWh: register,
        exportWh: register,
        voltageV: within(200, 250),
        currentA: within(-20, 20),
        powerFactor: within(-1, 1),
        frequencyHz: within(49, 51),
      },
      { requiredKeys: [] },
    ),
    importDeltaWh: register,
    exportDeltaWh: register,
    registerMaxWh: fc.constantFrom(50_000, 838_860_700),
    flags: fc.subarray(['tamper', 'outage', 'fault', 'reversed'] as const),
  },
  { requiredKeys: ['meter', 'values', 'flags'] },
);

interface Step {
  readonly samples: readonly Sample[];
  readonly gapMs: number;
  readonly repeated: boolean;
  readonly fails: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  samples: fc.array(sample, { minLength: 1, maxLength: 4 }),
  gapMs: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 900_000 })),
  repeated: fc.boolean(),
  fails: fc.boolean(),
});

/** The values travel as an object: JSON would turn what is not finite into null. */
function run(steps: readonly Step[], each: (sent: number, stored: readonly Reading[], refused: number) => void) {
  const registered = new Set<MeterId>();
  let now = NOW - 7_200_000;
  let sent: readonly Sample[] = [];
  const feed = { ...sampleFeed, decode: () => sent.map((one) => ({ raw: { ...one }, sample: one })) };
  const validator = createValidator(RULES, [feed], registered);
  const kept: Reading[] = [];
  for (const { samples, gapMs, repeated, fails } of steps) {
    now += gapMs;
    sent = samples;
    const publication = { topic: 'sample', payload: Buffer.from('{}'), repeated, receivedAtMs: epochMs(now) };
    const verdict = validator.validate([publication]);
    each(samples.length, verdict.readings, verdict.rejected.length);
    if (fails) {
      verdict.forget();
      continue;
    }
    for (const { meter } of verdict.readings) registered.add(meter);
    kept.push(...verdict.readings);
  }
  return kept;
}

function withoutExport({ exportDeltaWh: _delta, values: { exportWh: _wh, ...values }, ...rest }: Sample): Sample {
  return { ...rest, values };
}

const steps = fc.array(step, { maxLength: 60 });

test(`every sample is a reading or has a reason, and nothing stored is not finite (seed ${seed})`, () => {
  fc.assert(
    fc.property(steps, (given) => {
      const kept = run(given, (sent, stored, refused) => expect(stored.length + refused).toBe(sent));
      for (const reading of kept) {
        for (const measure of [...MEASURES, 'takenAtMs'] as const) {
          expect(Number.isFinite(reading[measure] ?? 0)).toBe(true);
        }
        expect(MEASURES.some((measure) => reading[measure] !== undefined)).toBe(true);
      }
    }),
    RUNS,
  );
});

test(`stored import registers never imply more than the cap, a confirmed new beginning aside (seed ${seed})`, () => {
  fc.assert(
    fc.property(steps, (given) => {
      const last = new Map<MeterId, { wh: number; atMs: number }>();
      // A flag does not say which of the two registers it means.
      const importing = given.map((one) => ({ ...one, samples: one.samples.map(withoutExport) }));
      for (const { meter, importWh, takenAtMs, flags } of run(importing, () => undefined)) {
        if (importWh === undefined) continue;
        const before = last.get(meter);
        const isLate = before !== undefined && takenAtMs < before.atMs;
        const names = flagsOf(flags);
        const isNew = names.includes('register_reset') || names.includes('register_rollover');
        // A double has its own idea of the last digit of a sum.
        const room = before && roomWh(Math.abs(takenAtMs - before.atMs), LIMITS) * (1 + 1e-9) + 1e-6;
        if (before !== undefined && room !== undefined && !isNew) {
          expect(
            isLate && !names.includes('register_summed') ? before.wh - importWh : importWh - before.wh,
          ).toBeLessThanOrEqual(room);
          if (!isLate) expect(importWh).toBeGreaterThanOrEqual(before.wh);
        }
        if (!isLate) last.set(meter, { wh: importWh, atMs: takenAtMs });
        else if (names.includes('register_summed')) last.set(meter, { wh: importWh, atMs: before.atMs });
      }
    }),
    RUNS,
  );
});

test(`any bytes on any topic: no exception, and one reason or a reading each (seed ${seed})`, () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.string().map((text) => Buffer.from(`{"power_w":${text}}`)),
  );
  const validator = createValidator(RULES, [nativeFeed], new Set());
  fc.assert(
    fc.property(bytes, fc.constantFrom('meters/m1/reading', 'meters//reading', 'x'), (payload, topic) => {
      const publication: Publication = { topic, payload, repeated: false, receivedAtMs: NOW };
      const { readings, rejected, forget } = validator.validate([publication]);
      expect(readings.length + rejected.length).toBeGreaterThanOrEqual(1);
      forget();
    }),
    { seed, numRuns: 3_000 },
  );
});

test(`a batch that was forgotten leaves no trace (seed ${seed})`, () => {
  const outcome = (given: readonly Step[]) => run(given, () => undefined);
  fc.assert(
    fc.property(steps, (given) => {
      // What is left out of the run entirely, its time apart, must come to the same as what was forgotten.
      let skippedMs = 0;
      const without: Step[] = [];
      for (const one of given) {
        if (one.fails) {
          skippedMs += one.gapMs;
          continue;
        }
        without.push({ ...one, gapMs: one.gapMs + skippedMs });
        skippedMs = 0;
      }
      expect(outcome(given)).toEqual(outcome(without));
    }),
    RUNS,
  );
});
