import { WattwardenError } from '../../agent/domain/errors.js';
import { API_SCHEMA, type ApiFunction, CONTRACT_VERSION } from '../contract/version.js';
import { type CentreAddress, type Connection, connect, type Row } from './connection.js';

/** A gateway's way to the centre: connects when first needed, and again after a failure. */
export interface CentreLink {
  call(name: ApiFunction, values: readonly unknown[], signal?: AbortSignal): Promise<Row[]>;
  close(): Promise<void>;
}

export function createCentreLink(address: () => CentreAddress): CentreLink {
  let current: Promise<Connection> | undefined;

  async function greeted(): Promise<Connection> {
    const connection = await connect(address());
    try {
      const [hello] = await ask(connection, 'hello', []);
      const version = hello?.['contract_version'];
      if (version === CONTRACT_VERSION) return connection;
      throw new WattwardenError('centre.incompatible', `contract ${String(version)} there, ${CONTRACT_VERSION} here`);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async function connected(): Promise<Connection> {
    current ??= greeted();
    const mine = current;
    const connection = await mine.catch((error: unknown) => {
      if (current === mine) current = undefined;
      throw error;
    });
    if (connection.usable()) return connection;
    if (current === mine) current = undefined;
    return connected();
  }

  return {
    async call(name, values, signal) {
      signal?.throwIfAborted();
      const connection = await connected();
      const abandon = () => void connection.close();
      signal?.addEventListener('abort', abandon, { once: true });
      try {
        signal?.throwIfAborted();
        return await ask(connection, name, values);
      } finally {
        signal?.removeEventListener('abort', abandon);
      }
    },
    async close() {
      const present = await current?.catch(() => undefined); // a failed attempt was reported to its caller
      current = undefined;
      await present?.close();
    },
  };
}

function ask(connection: Connection, name: ApiFunction, values: readonly unknown[]): Promise<Row[]> {
  const places = values.map((_, index) => `$${index + 1}`).join(', ');
  return connection.query(`select * from ${API_SCHEMA}.${name}(${places})`, values);
}
