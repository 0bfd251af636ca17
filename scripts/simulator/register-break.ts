import { lastOf, pointAt, type RegisterPoint } from '../../agent/buffer/register-points.js';
import {
  type Accumulator,
  addReading,
  emptyAccumulator,
  type SlotValues,
  valuesOf,
} from '../../agent/buffer/slot-accumulator.js';
import { epochMs } from '../../agent/domain/brand.js';
import type { Reading } from '../../agent/domain/reading.js';
import { SCALE } from '../../agent/domain/stored.js';
import { validationRules } from '../../agent/settings.js';
import { type MeterState, NOTHING_KNOWN } from '../../agent/validate/meter-state.js';
import { judgePlausibility } from '../../agent/validate/plausibility.js';
import type { Limits } from '../../agent/validate/register.js';
import { settingsSchema } from '../../config/schema.js';
import type { SimulatedMeter } from './fleet.js';

export interface BreakOptions {
  readonly meter: SimulatedMeter;
  readonly breakMs: number;
  readonly slotMs: number;
  readonly readingEveryMs: number;
  /** A register that does not move is never believed again: it is followed no further than this. */
  readonly toMs: number;
}

/**
 * A gateway doubts a register that jumps, until readings that agree have confirmed it. So the slots meanwhile, by their
 * beginnings, are made from readings by the gateway's own rules.
 */
export function slotsOfBreak(options: BreakOptions): ReadonlyMap<number, SlotValues> {
  const { meter, breakMs, slotMs, readingEveryMs, toMs } = options;
  const lastBeforeMs = Math.ceil(breakMs / readingEveryMs - 1) * readingEveryMs;
  const firstSlotMs = Math.floor(lastBeforeMs / slotMs) * slotMs;
  const slots = new Map<number, Accumulator>();
  let state = NOTHING_KNOWN;
  let believedMs: number | undefined;
  for (let atMs = firstSlotMs - slotMs; atMs < toMs; atMs += readingEveryMs) {
    const slotStartMs = Math.floor(atMs / slotMs) * slotMs;
    // One slot beyond, which says how much of a step falls into the last one.
    if (believedMs !== undefined && slotStartMs > believedMs + slotMs) break;
    const judged = judge(meter, atMs, state);
    state = judged.state;
    const slot = slots.get(slotStartMs) ?? emptyAccumulator();
    slots.set(slotStartMs, slot);
    addReading(slot, atMs - slotStartMs, measured(judged));
    if (atMs >= breakMs && judged.values?.importWh !== undefined) believedMs ??= slotStartMs;
  }
  return between(slots, { firstSlotMs, lastSlotMs: believedMs ?? toMs, slotMs });
}

const LIMITS = limitsOfGateway();

/** What a gateway allows a meter of which it knows nothing more. */
function limitsOfGateway(): Limits {
  const { capW, registerToleranceWh } = validationRules(settingsSchema.parse({}));
  return { capW, toleranceWh: registerToleranceWh, maxWh: undefined };
}

function judge(meter: SimulatedMeter, atMs: number, state: MeterState) {
  const { reading, conditions } = meter.shown(atMs);
  const { power_w, import_wh, export_wh, voltage_v } = reading;
  const values = {
    powerW: power_w,
    importWh: import_wh,
    ...(export_wh === undefined ? {} : { exportWh: export_wh }),
    voltageV: voltage_v,
  };
  const context = { meter: meter.id, takenAtMs: epochMs(atMs), limits: LIMITS };
  return judgePlausibility(state, { meter: meter.id, values, flags: conditions }, context);
}

function measured({ values, flags }: ReturnType<typeof judge>) {
  const { powerW, importWh, voltageV }: Partial<Reading> = values ?? {};
  return {
    powerDw: SCALE.powerDw.pack(powerW),
    importDwh: SCALE.energyDwh.pack(importWh),
    voltageCv: SCALE.voltageCv.pack(voltageV),
    flags,
  };
}

interface Part {
  readonly firstSlotMs: number;
  readonly lastSlotMs: number;
  readonly slotMs: number;
}

function between(
  slots: ReadonlyMap<number, Accumulator>,
  { firstSlotMs, lastSlotMs, slotMs }: Part,
): ReadonlyMap<number, SlotValues> {
  const made = new Map<number, SlotValues>();
  const later = firstRegisters([...slots]);
  let before: Moment | undefined;
  for (const [slotStartMs, slot] of slots) {
    const after = later.pop();
    if (slotStartMs >= firstSlotMs && slotStartMs <= lastSlotMs) {
      const last = slots.get(slotStartMs - slotMs)?.times.at(-1);
      const values = valuesOf(slot, {
        slotMs,
        lastMs: last === undefined ? null : last - slotMs,
        before: seenFrom(slotStartMs, before),
        after: seenFrom(slotStartMs, after),
        registerMaxDwh: LIMITS.maxWh,
      });
      made.set(slotStartMs, values);
    }
    before = momentOf(slotStartMs, lastOf(slot.registers)) ?? before;
  }
  return made;
}

/** A reading of the register, with its time since 1970. */
type Moment = RegisterPoint;

/** Of each slot the first reading of the register after it, the first slot's at the end. */
function firstRegisters(slots: readonly (readonly [number, Accumulator])[]): (Moment | undefined)[] {
  let next: Moment | undefined;
  return slots.toReversed().map(([slotStartMs, { registers }]) => {
    const after = next;
    next = momentOf(slotStartMs, pointAt(registers, 0)) ?? next;
    return after;
  });
}

const momentOf = (slotStartMs: number, point: RegisterPoint | undefined): Moment | undefined =>
  point === undefined ? undefined : { ...point, atMs: slotStartMs + point.atMs };

const seenFrom = (slotStartMs: number, moment: Moment | undefined) =>
  moment === undefined ? null : { ...moment, atMs: moment.atMs - slotStartMs, sealed: false };
