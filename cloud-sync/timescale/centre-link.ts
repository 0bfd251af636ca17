import { WattwardenError } from '../../agent/domain/errors.js';
import { API_SCHEMA, type ApiFunction, CONTRACT_VERSION } from '../contract/version.js';
import { type CentreAddress, type Connection, connect, givenUp, type Row } from './connection.js';

/** A gateway's way to the centre: connects when first needed, and again after a failure. */
export interface CentreLink {
  call(name: ApiFunction, values: readonly unknown[], signal?: AbortSignal): Promise<Row[]>;
  close(): Promise<void>;
}

/** Several callers may wait for one attempt. */
interface Attempt {
  readonly connection: Promise<Connection>;
  readonly inTurn: Turns;
  abandon(): void;
}

export function createCentreLink(address: () => CentreAddress): CentreLink {
  let current: Attempt | undefined;

  function attempt(): Attempt {
    const ending = new AbortController();
    const mine: Attempt = { connection: greeted(ending.signal), inTurn: createTurns(), abandon: () => ending.abort() };
    // A failed attempt is reported to those who wait for it; the next call makes another.
    mine.connection.catch(() => forget(mine));
    return mine;
  }

  function forget(mine: Attempt): void {
    if (current === mine) current = undefined;
  }

  async function greeted(signal: AbortSignal): Promise<Connection> {
    const connection = await connect(address(), { signal });
    try {
      const [hello] = await ask(connection, 'hello', [], signal);
      const version = hello?.['contract_version'];
      if (version === CONTRACT_VERSION) return connection;
      throw new WattwardenError('centre.incompatible', `contract ${String(version)} there, ${CONTRACT_VERSION} here`);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async function connected(signal: AbortSignal | undefined): Promise<Attempt> {
    current ??= attempt();
    const mine = current;
    const connection = await unlessAborted(mine.connection, signal);
    if (connection.usable()) return mine;
    forget(mine);
    return connected(signal);
  }

  return {
    async call(name, values, signal) {
      signal?.throwIfAborted();
      const { connection, inTurn } = await connected(signal);
      return await inTurn(async () => ask(await connection, name, values, signal), signal);
    },
    async close() {
      const last = current;
      current = undefined;
      last?.abandon();
      const present = await last?.connection.catch(() => undefined); // a failed attempt was reported to its caller
      await present?.close();
    },
  };
}

type Turns = <T>(work: () => Promise<T>, signal: AbortSignal | undefined) => Promise<T>;

/** A session answers one query after the other; whoever gives up before its turn takes nobody's session with it. */
function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return async (work, signal) => {
    const before = last;
    let leave = (): void => undefined;
    const mine = new Promise<void>((resolve) => (leave = resolve));
    last = before.then(() => mine);
    try {
      await unlessAborted(before, signal);
      return await work();
    } finally {
      leave();
    }
  };
}

/** What one caller no longer waits for goes on for the others. */
async function unlessAborted<T>(awaited: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await awaited;
  if (signal.aborted) throw givenUp();
  let giveUp = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    giveUp = () => reject(givenUp());
  });
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([awaited, aborted]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/** A query that is given up takes its session with it. */
async function ask(
  connection: Connection,
  name: ApiFunction,
  values: readonly unknown[],
  signal: AbortSignal | undefined,
): Promise<Row[]> {
  const abandon = () => void connection.close();
  signal?.addEventListener('abort', abandon, { once: true });
  try {
    signal?.throwIfAborted();
    const places = values.map((_, index) => `$${index + 1}`).join(', ');
    return await connection.query(`select * from ${API_SCHEMA}.${name}(${places})`, values);
  } finally {
    signal?.removeEventListener('abort', abandon);
  }
}
