import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../domain/errors.js';

/** What this machine says of its clock. */
export interface TimeEvidence {
  readonly confirmedAtMs: number | undefined;
  readonly serviceRuns: boolean;
  readonly batteryMs: number | undefined;
}

export interface EvidencePlaces {
  /** A time service touches it each time that it has set the clock; its directory is there while the service runs. */
  readonly confirmedFile: string;
  /** The battery-backed clock, in seconds since 1970. */
  readonly batteryFile: string;
}

export async function readTimeEvidence({ confirmedFile, batteryFile }: EvidencePlaces): Promise<TimeEvidence> {
  const confirmed = await unlessAbsent(stat(confirmedFile));
  const service = confirmed ?? (await unlessAbsent(stat(dirname(confirmedFile))));
  const battery = Number((await unlessAbsent(readFile(batteryFile, 'utf8'))) ?? Number.NaN);
  return {
    confirmedAtMs: confirmed?.mtimeMs,
    serviceRuns: service !== undefined,
    batteryMs: Number.isFinite(battery) ? battery * 1_000 : undefined,
  };
}

/** Most machines have only some of them, and a battery-backed clock that was never set gives no answer. */
const ABSENT: readonly (string | undefined)[] = ['ENOENT', 'ENOTDIR', 'EACCES', 'EINVAL', 'EIO', 'ENODEV', 'ENXIO'];

async function unlessAbsent<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (ABSENT.includes(codeOf(error))) return undefined;
    throw error;
  }
}
