import { codeOf, WattwardenError } from '../../agent/domain/errors.js';
import type { Settings } from '../../config/schema.js';
import { ensureSigningKey } from '../release/signing-key.js';
import { type CentreAddress, quoteIdentifier } from '../timescale/connection.js';
import { type MigrationReport, migrate } from '../timescale/migrate.js';
import { centreAddress, withCentre } from './centre-session.js';

export interface Initialised extends MigrationReport {
  readonly publicKey: string;
}

/** Makes a PostgreSQL server a centre, or brings a centre up to date; doing it again changes nothing. */
export async function initCentre(centre: Settings['centre']): Promise<Initialised> {
  const address = centreAddress(centre);
  const report = await withCentre(address, migrate).catch(async (error: unknown) => {
    if (!isMissingDatabase(error)) throw error;
    await createDatabase(address);
    return withCentre(address, migrate);
  });
  return { ...report, publicKey: ensureSigningKey(centre.keys_dir).publicKey };
}

const MISSING_DATABASE = '3D000';
const ALREADY_THERE = ['42P04', '23505'];

const causeCode = (error: unknown): string | undefined =>
  error instanceof WattwardenError ? codeOf(error.cause) : undefined;

const isMissingDatabase = (error: unknown): boolean => causeCode(error) === MISSING_DATABASE;

async function createDatabase(address: CentreAddress): Promise<void> {
  await withCentre({ ...address, database: 'postgres' }, async (connection) => {
    try {
      await connection.query(`create database ${quoteIdentifier(address.database)}`);
    } catch (error) {
      if (!ALREADY_THERE.includes(causeCode(error) ?? '')) throw error;
    }
  });
}
