import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../../agent/domain/clock.js';
import type { MeterSeries, OnProgress } from '../../models/series.js';
import { trainBundle } from '../../models/train-bundle.js';
import type { Connection } from '../timescale/connection.js';
import { type CentreSeries, loadCentreSeries } from './centre-series.js';

export interface RetrainOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  /** The bundle's directory is made in here, named as its version. */
  readonly outDir: string;
  readonly days: number;
  readonly seed: number;
  readonly onProgress?: OnProgress;
}

export interface Retrained {
  readonly version: string;
  readonly dir: string;
  readonly meters: number;
  readonly slots: number;
}

/** From the slots at the centre to a bundle on disk, unsigned and released to nobody. */
export async function retrain(options: RetrainOptions): Promise<Retrained> {
  const { connection, clock, outDir, days, seed, onProgress } = options;
  const nowMs = clock.now();
  const found = await loadCentreSeries({ connection, untilMs: nowMs, days });
  const createdAt = new Date(nowMs);
  const version = versionName(createdAt, seed, found.series);
  const dir = join(outDir, version);
  const trainedOn = describe(found, days, createdAt);
  const progress = onProgress === undefined ? {} : { onProgress };
  await trainBundle({ series: found.series, dir, version, createdAt, seed, trainedOn, ...progress });
  return { version, dir, meters: found.series.length, slots: found.slots };
}

/** Sorts by time for people; which release is newer is for the centre's sequence to say. */
export function versionName(createdAt: Date, seed: number, series: readonly MeterSeries[]): string {
  const [day = '', time = ''] = createdAt.toISOString().split('T');
  const hash = createHash('sha256').update(String(seed));
  for (const { meter, startMs, powerW } of series) hash.update(`${meter} ${startMs} `).update(powerW);
  return `${day.replaceAll('-', '.')}-${time.slice(0, 8).replaceAll(':', '')}-${hash.digest('hex').slice(0, 8)}`;
}

function describe({ series, gateways, slots }: CentreSeries, days: number, until: Date): string {
  return `${slots} slots of ${series.length} meters of ${gateways} gateways, ${days} days before ${until.toISOString()}`;
}
