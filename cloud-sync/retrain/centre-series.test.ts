import { afterAll, beforeAll, expect, test } from 'vitest';
import { SLOT_MS } from '../../agent/domain/slot.js';
import { openTestCentre, type TestCentre } from '../timescale/centre.fixture.js';
import type { Connection } from '../timescale/connection.js';
import { loadCentreSeries } from './centre-series.js';

const UNTIL_MS = Date.UTC(2026, 4, 10);
const DAY_MS = 86_400_000;

let centre: TestCentre;
beforeAll(async () => {
  centre = await openTestCentre();
});
afterAll(() => centre.stop());

/** Slot n of `count` draws n/10 W; every 100th is missing. */
const fill = (connection: Connection, gatewayId: number, meter: string, count: number) =>
  connection.query(
    `insert into wattwarden_data.slot (gateway_id, meter, slot_start, log_id, change_seq, revision, energy_mwh,
                                       mean_power_dw, min_power_dw, max_power_dw, count, coverage_pm)
     select $1, $2, timestamptz 'epoch' + ($3::bigint - (n + 1) * ${SLOT_MS}) * interval '1 millisecond', 1, n, 1, 0, n, 0, 0, 1, 1000
       from generate_series(0, $4::integer - 1) n where n % 100 <> 99`,
    [gatewayId, meter, UNTIL_MS, count],
  );

test('slots become series with gaps; meters with too little, and slots outside the days, are left out', async () => {
  const { connection, addGateway } = await centre.openDatabase();
  const first = await addGateway();
  const second = await addGateway();
  await fill(connection, 1, 'm-1', 700);
  await fill(connection, 2, 'm-1', 2_000);
  await fill(connection, 1, 'm-2', 500);
  const found = await loadCentreSeries({ connection, untilMs: UNTIL_MS, days: 5 });
  expect(found.series.map(({ meter, powerW }) => [meter, powerW.length])).toEqual([
    [`${second.name}:m-1`, 1_440],
    [`${first.name}:m-1`, 699],
  ]);
  expect(found.gateways).toBe(2);
  const [, short] = found.series;
  expect(short?.startMs).toBe(UNTIL_MS - 699 * SLOT_MS);
  expect(short?.powerW.at(-1)).toBe(0);
  expect(short?.powerW.at(-42)).toBeCloseTo(4.1, 5);
  expect(short?.powerW.at(-100)).toBeNaN();
  expect(found.slots).toBe(693 + 1_426);
});

test('without two days of any meter there is nothing to train on', async () => {
  const { connection, addGateway } = await centre.openDatabase();
  await addGateway();
  await fill(connection, 1, 'm-1', 577);
  const options = { connection, untilMs: UNTIL_MS, days: 60 };
  await expect(loadCentreSeries(options)).rejects.toMatchObject({ code: 'model.no_data' });
  await expect(loadCentreSeries({ ...options, untilMs: UNTIL_MS - 30 * DAY_MS })).rejects.toMatchObject({
    code: 'model.no_data',
  });
});
