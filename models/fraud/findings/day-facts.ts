import { type DayModel, scoreDay } from '../day-model.js';
import { AT, RATIO_FLOOR_W } from '../features/day-shape.js';
import { DROP_AT } from '../features/evidence.js';
import type { FleetEvidence } from '../features/fleet-evidence.js';
import { dayOf, type FleetPower, type MeterSigns, weekdayOf } from '../fleet-power.js';
import type { DayFacts } from './finding.js';

/** Which day of which meter, and what the balance of its feeder lays to it, where there is one. */
export interface AskedDay {
  readonly meter: number;
  readonly day: number;
  readonly feeder?: { readonly lossW: number; readonly share: number };
}

export interface JudgedFleet {
  readonly fleet: FleetPower;
  readonly evidence: FleetEvidence;
  readonly model: DayModel;
}

const DAY_HOURS = 24;
/** Until five in the morning. */
const NIGHT_SHARE = 5 / 24;
const ZERO_W = 1;

/** What an inspector is told of a day from: loads, the balance, and what the meter shows beside them; undefined where it was not judged. */
export function dayFacts(
  { fleet, evidence, model }: JudgedFleet,
  { meter, day, feeder }: AskedDay,
): DayFacts | undefined {
  const row = evidence.row(meter, day);
  const reference = evidence.reference(meter, day);
  const { powerW, signs } = fleet.meters[meter] ?? {};
  if (row === undefined || reference === undefined || powerW === undefined) return undefined;
  const shape = evidence.shape(meter, day);
  // What lowers most meters on that day, weather say, is expected of this one too.
  const expected = (reference.level[weekdayOf(fleet, day)] as number) - (evidence.peers(day)[DROP_AT.mean] as number);
  const usualLowestW = evidence.usualLowestW(meter, day);
  const known = dayOf(powerW, fleet.slotsPerDay, day);
  const night = known.subarray(0, Math.round(NIGHT_SHARE * known.length)).filter(Number.isFinite);
  return {
    expectedWh: Math.max(Math.exp(expected) - RATIO_FLOOR_W, 0) * DAY_HOURS,
    actualWh: (shape[AT.mean] as number) * DAY_HOURS,
    contributions: scoreDay(model, row).contributions,
    zeroShare: shape[AT.zeros] as number,
    ...(night.length === 0
      ? {}
      : { nightZeroShare: night.filter((watts) => Math.abs(watts) < ZERO_W).length / night.length }),
    capW: known.reduce((most, watts) => (watts > most ? watts : most), 0),
    atCapShare: shape[AT.ties] as number,
    lowestPowerW: known.reduce((least, watts) => (watts < least ? watts : least), Number.POSITIVE_INFINITY),
    ...shownOn(signs, day),
    ...(usualLowestW === undefined ? {} : { usualLowestW }),
    ...(feeder === undefined ? {} : { feederLossWh: feeder.lossW * DAY_HOURS, feederShare: feeder.share }),
  };
}

type Shown = Pick<DayFacts, 'lowestVoltageV' | 'silentPhases' | 'tamperFlag' | 'rolledBackWh'>;

function shownOn({ lowestVoltageV, silentPhases, tamperFlag, rolledBackWh }: MeterSigns = {}, day: number): Shown {
  const volts = lowestVoltageV?.[day] ?? Number.NaN;
  const silent = silentPhases?.[day];
  const flag = tamperFlag?.[day];
  const backWh = rolledBackWh?.[day] ?? Number.NaN;
  return {
    ...(Number.isNaN(volts) ? {} : { lowestVoltageV: volts }),
    ...(silent === undefined ? {} : { silentPhases: silent }),
    ...(flag === undefined ? {} : { tamperFlag: flag > 0 }),
    ...(Number.isNaN(backWh) ? {} : { rolledBackWh: backWh }),
  };
}
