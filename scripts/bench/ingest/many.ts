import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { logIdOf, openForWriting } from '../../../agent/buffer/buffer-file.js';
import type { Setting } from '../bench.js';
import type { Publisher } from '../load/publisher.js';
import { median } from '../statistics.js';
import { type BenchGateway, gatewayFiles, openGateway } from '../subjects/gateway.js';

/** Many short rounds in turns: what else the machine does lasts for seconds, and is then the same for both. */
const ROUNDS = 41;
const READINGS = 30_000;
const WARM_UP_ROUNDS = 4;
const UNDER_WAY = 2_000;
const MANY_METERS = 20_000;
const MANY_ROWS = 50_000_000;
/**
 * A single meter that sends dozens of readings in a millisecond runs ahead of the time, by minutes in the end. That must
 * not make its clock a bad one, nor its slots late ones that are stored, loaded and stored again.
 */
const SETTINGS = { validate: { max_future_s: 86_400 } };

/** Whether many meters, or a long past, make it slower: two gateways in turn, round by round. */
export async function measureMany({ dir, say }: Setting, publisher: Publisher) {
  say(`${MANY_METERS} meters against 1`);
  const meters = await compare(publisher, {
    many: { gateway: await openGateway(join(dir, 'meters-many'), SETTINGS), meters: MANY_METERS },
    few: { gateway: await openGateway(join(dir, 'meters-one'), SETTINGS), meters: 1 },
  });
  say(`${MANY_ROWS} rows: filling the buffer`);
  const full = join(dir, 'rows-many');
  fill(gatewayFiles(full).bufferFile);
  say(`${MANY_ROWS} rows against none`);
  const rows = await compare(publisher, {
    many: { gateway: await openGateway(full, SETTINGS), meters: 1_000 },
    few: { gateway: await openGateway(join(dir, 'rows-none'), SETTINGS), meters: 1_000 },
  });
  return { meters_20000_vs_1: meters, rows_50m_vs_0: rows };
}

interface Side {
  readonly gateway: BenchGateway;
  readonly meters: number;
}

async function compare(publisher: Publisher, { many, few }: { readonly many: Side; readonly few: Side }) {
  const rate = async ({ gateway, meters }: Side): Promise<number> => {
    const pace = { kind: 'flood', readings: READINGS, inFlight: UNDER_WAY } as const;
    const { readings, elapsedMs } = await publisher.publish({ port: gateway.port, clients: 1, meters, pace });
    return readings / elapsedMs;
  };
  try {
    for (let round = 0; round < WARM_UP_ROUNDS; round += 1) for (const side of [many, few]) await rate(side);
    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) ratios.push((await rate(many)) / (await rate(few)));
    return median(ratios);
  } finally {
    await many.gateway.stop();
    await few.gateway.stop();
  }
}

/** A past that is closed and analysed: nothing that takes readings in has to look at it again. */
function fill(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const db = openForWriting(path);
  try {
    db.pragma('synchronous = OFF');
    const insert = db.prepare(
      `insert into reading (meter, taken_at_ms, time_source, received_at_ms, boot, monotonic_ms, power_dw, import_dwh,
         voltage_cv, flags)
       with recursive row(n) as (select cast(@row as integer) union all select n + 1 from row where n < @row + ${FILL_ROWS} - 1)
       select 1 + n % 1000, cast(@fromMs + n as integer), 0, cast(@fromMs + n as integer), 1, n, 5000 + n % 900, 1000000 + n / 1000, 22800 + n % 50, 0 from row`,
    );
    const meter = db.prepare(`insert into meter (name, kind) values (?, 'customer')`);
    for (let id = 1; id <= 1_000; id += 1) meter.run(`past-${id}`);
    for (let row = 0; row < MANY_ROWS; row += FILL_ROWS) {
      insert.run({ row, fromMs: Date.now() - PAST_MS });
      db.pragma('wal_checkpoint(TRUNCATE)');
    }
    db.prepare(`insert into cursor (log_id, name, position) values (?, 'replay', ?)`).run(logIdOf(db), MANY_ROWS + 1);
  } finally {
    db.close();
  }
}

const FILL_ROWS = 1_000_000;
/** A millisecond for each row, and some days between the last one and now. */
const PAST_MS = MANY_ROWS + 3 * 86_400_000;
