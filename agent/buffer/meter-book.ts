import type { MeterId } from '../domain/brand.js';
import type { Meter, MeterKind } from '../domain/meter.js';
import { SCALE } from '../domain/stored.js';
import type { Connection } from './buffer-file.js';
import type { Transactions } from './transactions.js';

interface MeterRow {
  readonly key: number;
  readonly id: MeterId;
  readonly kind: MeterKind;
  readonly feeder: MeterId | null;
  readonly ratedPowerDw: number | null;
  readonly registerMaxDwh: number | null;
}

export interface Registration {
  readonly meter: Meter;
  /** The number that the file has given it; none while there was no room to write it. */
  readonly key: number | undefined;
}

/** Names outside, small numbers inside: a name in every row of the log would be most of the log. */
export interface MeterBook {
  /** The number of this meter; a new one is a customer. Only inside a transaction. */
  keyOf(id: MeterId): number;
  knownKey(id: MeterId): number | undefined;
  /** Only inside a transaction. */
  register(meters: readonly Meter[]): void;
  /** Known from now on, and written with the next rows: there was no room to register them. */
  expect(meters: readonly Meter[]): void;
  /** Only inside a transaction. */
  registerExpected(): void;
  readonly registered: ReadonlyMap<MeterId, Registration>;
  /** Where the register of this meter begins again at zero, if that is known. */
  registerMaxDwh(key: number): number | undefined;
}

export const SELECT_METERS = `
  select m.id as key, m.name as id, m.kind, f.name as feeder, m.rated_power_dw as ratedPowerDw,
    m.register_max_dwh as registerMaxDwh
  from meter m left join meter f on f.id = m.feeder order by m.name`;

export function meterOf({ id, kind, feeder, ratedPowerDw, registerMaxDwh }: MeterRow): Meter {
  const ratedPowerW = SCALE.powerDw.unpack(ratedPowerDw);
  const registerMaxWh = SCALE.energyDwh.unpack(registerMaxDwh);
  return {
    id,
    kind,
    ...(feeder !== null && { feeder }),
    ...(ratedPowerW !== undefined && { ratedPowerW }),
    ...(registerMaxWh !== undefined && { registerMaxWh }),
  };
}

export const selectMeters = (db: Connection): readonly MeterRow[] => db.prepare<[], MeterRow>(SELECT_METERS).all();

/** `registered` is filled with what the file knows; validation looks into the same map. */
export function openMeterBook(
  db: Connection,
  transactions: Transactions,
  registered: Map<MeterId, Registration>,
): MeterBook {
  const insert = db.prepare('insert into meter (name, kind) values (?, ?)');
  const update = db.prepare(
    `update meter set kind = @kind, feeder = @feeder, rated_power_dw = @ratedPowerDw,
       register_max_dwh = @registerMaxDwh, version = version + 1
     where id = @key and (kind is not @kind or feeder is not @feeder or rated_power_dw is not @ratedPowerDw
       or register_max_dwh is not @registerMaxDwh)`,
  );
  const registerMaxima = new Map<number, number>();

  function readAll(): void {
    registered.clear();
    for (const row of selectMeters(db)) {
      registered.set(row.id, { meter: meterOf(row), key: row.key });
      if (row.registerMaxDwh === null) registerMaxima.delete(row.key);
      else registerMaxima.set(row.key, row.registerMaxDwh);
    }
  }

  const knownKey = (id: MeterId): number | undefined => registered.get(id)?.key;

  function keyOf(id: MeterId, kind: MeterKind = 'customer'): number {
    const known = knownKey(id);
    if (known !== undefined) return known;
    const key = Number(insert.run(id, kind).lastInsertRowid);
    added.push(id);
    registered.set(id, { meter: { id, kind }, key });
    return key;
  }

  function register(meters: readonly Meter[]): void {
    for (const meter of meters) {
      const key = keyOf(meter.id, meter.kind);
      const feeder = meter.feeder === undefined ? null : keyOf(meter.feeder, 'feeder');
      update.run({
        key,
        kind: meter.kind,
        feeder,
        ratedPowerDw: SCALE.powerDw.pack(meter.ratedPowerW),
        registerMaxDwh: SCALE.energyDwh.pack(meter.registerMaxWh),
      });
    }
    readAll();
  }

  function announce(): void {
    for (const meter of expected) registered.set(meter.id, { meter, key: knownKey(meter.id) });
  }

  let expected: readonly Meter[] = [];
  let expectedBefore = expected;
  let added: MeterId[] = [];
  transactions.onRollback(() => {
    for (const id of added) registered.delete(id);
    expected = expectedBefore;
    announce();
  });
  transactions.onBegin(() => {
    added = [];
    expectedBefore = expected;
  });

  readAll();
  return {
    keyOf: (id) => keyOf(id),
    knownKey,
    register,
    expect(meters) {
      expected = meters;
      announce();
    },
    registerExpected() {
      if (expected.length === 0) return;
      register(expected);
      expected = [];
    },
    registered,
    registerMaxDwh: (key) => registerMaxima.get(key),
  };
}
