import { type EpochMs, epochMs, type MeterId } from '../../agent/domain/brand.js';
import { WattwardenError } from '../../agent/domain/errors.js';
import { SLOT_MINUTES, SLOT_MS } from '../../agent/domain/slot.js';
import { SCALE } from '../../agent/domain/stored.js';
import type { MeterSeries } from '../../models/series.js';
import type { Connection, Row } from '../timescale/connection.js';

export interface CentreSeries {
  readonly series: readonly MeterSeries[];
  readonly gateways: number;
  readonly slots: number;
}

interface SeriesOptions {
  readonly connection: Connection;
  /** Slots that begin before this, and at most `days` earlier. */
  readonly untilMs: number;
  readonly days: number;
}

/** Two days: one to look at, one to foretell. */
const MIN_SLOTS = 576;
/** 80 MB of float32; meters beyond it are left out, those with the fewest slots first. */
const MAX_VALUES = 20_000_000;
const MAX_METERS = 5_000;

/** What meters drew, from the centre's slots: one meter's rows in memory at a time. */
export async function loadCentreSeries({ connection, untilMs, days }: SeriesOptions): Promise<CentreSeries> {
  const fromMs = untilMs - days * 86_400_000;
  const candidates = await connection.query(CANDIDATES, [fromMs, untilMs, MIN_SLOTS, MAX_METERS]);
  if (candidates.length === 0) {
    throw new WattwardenError('model.no_data', `no meter has ${MIN_SLOTS} slots in the last ${days} days`);
  }
  const series: MeterSeries[] = [];
  let values = 0;
  let slots = 0;
  const gateways = new Set<number>();
  for (const candidate of candidates) {
    const startMs = Number(candidate['first_ms']);
    const length = (Number(candidate['last_ms']) - startMs) / SLOT_MS + 1;
    if (values + length > MAX_VALUES) break;
    const rows = await connection.query(SLOTS, [candidate['gateway_id'], candidate['meter'], fromMs, untilMs]);
    series.push(toSeries(seriesName(candidate), epochMs(startMs), rows, length));
    gateways.add(Number(candidate['gateway_id']));
    values += length;
    slots += rows.length;
  }
  return { series, gateways: gateways.size, slots };
}

/** Meters of two gateways may bear one name. */
const seriesName = (row: Row): MeterId => `${String(row['gateway'])}:${String(row['meter'])}` as MeterId;

function toSeries(meter: MeterId, startMs: EpochMs, rows: readonly Row[], length: number): MeterSeries {
  const powerW = new Float32Array(length).fill(Number.NaN);
  for (const row of rows) {
    const watts = SCALE.powerDw.unpack(Number(row['mean_power_dw']));
    // A slot that changed between the two statements may lie outside; a typed array ignores it.
    if (watts !== undefined) powerW[(Number(row['slot_start_ms']) - startMs) / SLOT_MS] = watts;
  }
  return { meter, startMs, powerW };
}

const FROM_MS = (place: string) => `timestamptz 'epoch' + ${place}::bigint * interval '1 millisecond'`;
const TO_MS = (column: string) => `(extract(epoch from ${column}) * 1000)::bigint`;

const CANDIDATES = `
select s.gateway_id, g.name as gateway, s.meter,
       ${TO_MS('min(s.slot_start)')} as first_ms, ${TO_MS('max(s.slot_start)')} as last_ms
  from wattwarden_data.slot s join wattwarden_data.gateway g on g.id = s.gateway_id
 where s.slot_start >= ${FROM_MS('$1')} and s.slot_start < ${FROM_MS('$2')}
   and s.slot_minutes = ${SLOT_MINUTES} and s.count > 0
 group by s.gateway_id, g.name, s.meter
having count(*) >= $3
 order by count(*) desc, g.name, s.meter
 limit $4`;

const SLOTS = `
select ${TO_MS('slot_start')} as slot_start_ms, mean_power_dw
  from wattwarden_data.slot
 where gateway_id = $1 and meter = $2
   and slot_start >= ${FROM_MS('$3')} and slot_start < ${FROM_MS('$4')}
   and slot_minutes = ${SLOT_MINUTES} and count > 0
 order by slot_start`;
