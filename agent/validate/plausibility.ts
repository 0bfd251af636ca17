import type { EpochMs, MeterId } from '../domain/brand.js';
import { FLAGS, type Flag, flagBits } from '../domain/flags.js';
import type { Note } from '../domain/quality.js';
import { isEmpty, type Values } from '../domain/reading.js';
import { followPower } from './false-zero.js';
import type { Refusal, Sample } from './feeds/feed.js';
import type { MeterState } from './meter-state.js';
import { addIncrement, type Followed, follow, type Limits, type RegisterState } from './register.js';
import { factorText, watchUnits } from './units.js';

export interface Judged {
  readonly state: MeterState;
  /** Undefined when nothing is left of the reading; `refusal` says why. */
  readonly values: Values | undefined;
  readonly refusal: Refusal | undefined;
  readonly flags: number;
  readonly notes: readonly Note[];
}

interface Context {
  readonly meter: MeterId;
  readonly takenAtMs: EpochMs;
  readonly limits: Limits;
}

/** One that came late must not let two readings without a time of their own have the same. */
export const latest = (a: EpochMs | undefined, b: EpochMs): EpochMs => (a !== undefined && a > b ? a : b);

const NO_NOTES: readonly Note[] = [];

/** Holds a sample against what its meter sent before. What cannot be true is left out; the rest stays a reading. */
export function judgePlausibility(before: MeterState, sample: Sample, context: Context): Judged {
  const { values } = sample;
  const { meter, takenAtMs, limits } = context;
  const imported = registerOf(before.imported, values.importWh, sample.importDeltaWh, context);
  const exported = registerOf(before.exported, values.exportWh, sample.exportDeltaWh, context);
  const units = watchUnits(before.units, {
    powerW: values.powerW,
    registerWh: values.importWh ?? (sample.importDeltaWh === undefined ? undefined : imported?.wh),
    atMs: takenAtMs,
  });
  const power = values.powerW === undefined ? undefined : followPower(before.power, values.powerW, takenAtMs);
  const isSuspect = units !== undefined && units.factor !== 1;

  let flags = flagBits(sample.flags) | flagOf(imported) | flagOf(exported);
  if (isSuspect) flags |= 1 << FLAGS.unit_suspect.bit;
  if (power?.refutesZero === true) flags |= 1 << FLAGS.after_suspect_zero.bit;

  let notes = NO_NOTES;
  if (imported?.flag !== undefined || exported?.flag !== undefined || isSuspect) {
    notes = [
      ...noteOf(meter, 'import', imported, before.imported, values.importWh),
      ...noteOf(meter, 'export', exported, before.exported, values.exportWh),
      ...(isSuspect && units.startMs !== before.units?.startMs
        ? [{ meter, flag: 'unit_suspect' as const, detail: factorText(units.factor) }]
        : []),
    ];
  }

  const importWh = imported === undefined ? values.importWh : imported.wh;
  const exportWh = exported === undefined ? values.exportWh : exported.wh;
  const isAsSent = importWh === values.importWh && exportWh === values.exportWh;
  const stored = isAsSent ? values : { ...values, importWh, exportWh };
  const state: MeterState = {
    lastMs: latest(before.lastMs, takenAtMs),
    imported: imported?.state ?? before.imported,
    exported: exported?.state ?? before.exported,
    units,
    power: power?.trail ?? before.power,
  };
  if (!isAsSent && isEmpty(stored)) {
    const isStep = (imported ?? exported)?.flag === 'register_step';
    const detail = notes[0]?.detail ?? `not plausible within ${limits.capW} W`;
    const refusal: Refusal = { reason: isStep ? 'step_too_big' : 'going_back', detail };
    return { state: { ...state, lastMs: before.lastMs }, values: undefined, refusal, flags, notes: NO_NOTES };
  }
  return { state, values: stored, refusal: undefined, flags, notes };
}

function registerOf(
  before: RegisterState | undefined,
  wh: number | undefined,
  deltaWh: number | undefined,
  { takenAtMs, limits }: Context,
): Followed | undefined {
  if (wh !== undefined) return follow(before, wh, takenAtMs, limits);
  return deltaWh === undefined ? undefined : addIncrement(before, deltaWh, takenAtMs, limits);
}

const flagOf = (followed: Followed | undefined): number =>
  followed?.flag === undefined ? 0 : 1 << FLAGS[followed.flag].bit;

/** Flags that mean nothing to a person are counted without words. */
const WITHOUT_WORDS: ReadonlySet<Flag> = new Set<Flag>(['register_jitter', 'register_summed']);

function noteOf(
  meter: MeterId,
  name: 'import' | 'export',
  followed: Followed | undefined,
  before: RegisterState | undefined,
  wh: number | undefined,
): readonly Note[] {
  if (followed?.flag === undefined || WITHOUT_WORDS.has(followed.flag)) return NO_NOTES;
  const detail = `${name} register went from ${whText(before?.wh)} to ${whText(wh)}`;
  return [{ meter, flag: followed.flag, detail }];
}

const whText = (wh: number | undefined): string => (wh === undefined ? 'no value' : `${Math.round(wh * 10) / 10} Wh`);
