import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import pg from 'pg';
import { codeOf, messageOf, WattwardenError } from '../../agent/domain/errors.js';
import { centreError, isSpoiltSession } from './failure.js';

export interface CentreAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  readonly tls: { readonly mode: 'off' | 'verify'; readonly caFile?: string | undefined };
}

export type Row = Readonly<Record<string, unknown>>;

/** One session. Failures are WattwardenErrors of the kind `centre.*`. */
export interface Connection {
  query(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Commits when `work` resolves, and undoes everything when it fails. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** False once the session is over or its state unknown. */
  usable(): boolean;
  /** A query under way is given up; the server may or may not have done it. */
  close(): Promise<void>;
}

/** A cellular link that needs longer to answer is as good as down. */
const CONNECT_TIMEOUT_MS = 15_000;
/** Longer than the centre's own limit for a gateway's statement, so that the centre is the one to say so. */
const QUERY_TIMEOUT_MS = 90_000;
/** How long a server may take to hear goodbye before the socket is dropped. */
const CLOSE_TIMEOUT_MS = 2_000;
const KEEPALIVE_AFTER_MS = 30_000;

interface ConnectOptions {
  readonly queryTimeoutMs?: number;
  /** Gives up an attempt under way; a session that stands is closed by its owner. */
  readonly signal?: AbortSignal;
}

export const givenUp = (): WattwardenError => new WattwardenError('centre.unreachable', 'given up before it answered');

export async function connect(
  address: CentreAddress,
  { queryTimeoutMs = QUERY_TIMEOUT_MS, signal }: ConnectOptions = {},
): Promise<Connection> {
  if (signal?.aborted) throw givenUp();
  const socket = new Socket();
  const client = new pg.Client({
    host: address.host,
    port: address.port,
    database: address.database,
    user: address.user,
    password: address.password ?? '',
    ssl: tlsOptions(address),
    stream: () => socket,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_AFTER_MS,
    application_name: 'wattwarden',
    types: { getTypeParser },
  });
  let over = false;
  // Said of an idle session, too: the next query reports it to somebody who waits.
  client.on('error', () => {
    over = true;
  });
  client.once('end', () => {
    over = true;
  });
  const abandon = () => socket.destroy();
  signal?.addEventListener('abort', abandon, { once: true });
  try {
    await client.connect();
  } catch (error) {
    socket.destroy();
    throw signal?.aborted ? givenUp() : asCentreError(error);
  } finally {
    signal?.removeEventListener('abort', abandon);
  }

  async function query(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    try {
      const result = await client.query<Row>(sql, [...values]);
      return result.rows;
    } catch (error) {
      const failure = asCentreError(error);
      if (failure.code === 'centre.unreachable' || isSpoiltSession(codeOf(error))) {
        over = true;
        socket.destroy();
      }
      throw failure;
    }
  }

  return {
    query,
    async transaction(work) {
      await query('begin');
      try {
        const result = await work();
        await query('commit');
        return result;
      } catch (error) {
        if (!over) await query('rollback');
        throw error;
      }
    },
    usable: () => !over,
    async close() {
      over = true;
      const late = setTimeout(() => socket.destroy(), CLOSE_TIMEOUT_MS);
      await client.end().catch(() => socket.destroy()); // it is over either way
      clearTimeout(late);
    },
  };
}

export const quoteIdentifier = (name: string): string => pg.escapeIdentifier(name);
export const quoteLiteral = (text: string): string => pg.escapeLiteral(text);

const asCentreError = (error: unknown): WattwardenError =>
  centreError(error, error instanceof pg.DatabaseError ? error.code : undefined);

function tlsOptions({ host, tls }: CentreAddress): ConnectionOptions | false {
  if (tls.mode === 'off') return false;
  // Given explicitly, because the driver tells Node nothing of a host that is an IP address.
  const identity: ConnectionOptions = { checkServerIdentity: (_name, cert) => checkServerIdentity(host, cert) };
  return tls.caFile === undefined ? identity : { ...identity, ca: readCa(tls.caFile) };
}

function readCa(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new WattwardenError('centre.untrusted', `${file}: ${messageOf(error)}`, { cause: error });
  }
}

const INT8 = 20;
type Parse = (text: string) => unknown;

/** int8 as a number, and a loud failure where a number would be wrong; the driver's own choice is text. */
function getTypeParser(oid: number, format?: string): Parse {
  if (oid === INT8 && format !== 'binary') return parseInt8;
  return pg.types.getTypeParser(oid, 'text') as Parse;
}

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond the safe integers`);
  return value;
}
