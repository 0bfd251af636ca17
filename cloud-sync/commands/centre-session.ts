import type { Settings } from '../../config/schema.js';
import { readSecret } from '../../config/secrets.js';
import { type CentreAddress, type Connection, connect } from '../timescale/connection.js';

type CentreSettings = Settings['centre'];

/** Migrating a large table or choosing the meters of a retraining takes its time. */
const ADMIN_QUERY_TIMEOUT_MS = 30 * 60_000;

export function centreAddress(centre: CentreSettings): CentreAddress {
  return {
    host: centre.host,
    port: centre.port,
    database: centre.database,
    user: centre.user,
    password: readSecret(centre, 'password'),
    tls: { mode: centre.tls.mode, caFile: centre.tls.ca_file },
  };
}

export async function withCentre<T>(address: CentreAddress, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await connect(address, { queryTimeoutMs: ADMIN_QUERY_TIMEOUT_MS });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}
