import { describe, expect, test } from 'vitest';
import { SHIPPED_FEEDS } from '../../../domain/feed-mapping.js';
import { decoder, told } from '../test-kit.js';

/** Payloads are as the sources' own documentation, tests and issues show them. */
const decode = decoder({ enabled: SHIPPED_FEEDS });
const take = (topic: string, payload: string): unknown => told(decode(topic, payload));
const at = (text: string): number => Date.parse(text);

describe('Tasmota', () => {
  const SENSOR =
    '{"Time":"2021-10-26T17:28:45","ENERGY":{"Total":9098.245,"Yesterday":6822.685,"Today":2275.560,"Period":9,"Power":170,"Current":1.000}}';
  const TWO_CHANNELS =
    '{"Time":"2021-10-26T17:28:45","ENERGY":{"Power":[8.15,0],"ApparentPower":[5,0],"Factor":[0.00,0.00],"Frequency":50,"Voltage":237,"Current":[0.000,0.000]}}';
  const SML =
    '{"Time":"2022-07-07T13:01:11","SML":{"Total_in":34507.4761,"Total_out":14737.1422,"Power_curr":-894,"Meter_number":"0901454d48000000000"}}';

  test('a plug: kWh become Wh, local time without offset becomes UTC, and neither Today nor Period is a register', () => {
    expect(take('tele/plug1/SENSOR', SENSOR)).toEqual([
      {
        meter: 'tasmota:plug1',
        ownTimeMs: at('2021-10-26T15:28:45Z'),
        values: { powerW: 170, importWh: 9_098_245, currentA: 1 },
        flags: [],
      },
    ]);
  });

  test('two channels are two meters; voltage and frequency belong to both', () => {
    const shared = { voltageV: 237, frequencyHz: 50, powerFactor: 0, currentA: 0 };
    expect(take('tele/plug1/SENSOR', TWO_CHANNELS)).toMatchObject([
      { meter: 'tasmota:plug1:1', values: { powerW: 8.15, ...shared } },
      { meter: 'tasmota:plug1:2', values: { powerW: 0, ...shared } },
    ]);
  });

  test('a register that counts all channels is given to none of them', () => {
    const payload = TWO_CHANNELS.replace('"Power":', '"Total":12.5,"Power":');
    expect(take('tele/plug1/SENSOR', payload)).toMatchObject([
      { meter: 'tasmota:plug1', values: { importWh: 12_500, voltageV: 237, frequencyHz: 50 } },
      { meter: 'tasmota:plug1:1', values: { powerW: 8.15 } },
      { meter: 'tasmota:plug1:2', values: { powerW: 0 } },
    ]);
    const [, channel] = decode('tele/plug1/SENSOR', payload) as readonly { sample: { values: object } }[];
    expect(channel?.sample.values).toMatchObject({ importWh: undefined });
  });

  test('a meter read over SML: power may be negative, and the group is part of the name', () => {
    expect(take('tele/reader/SENSOR', SML)).toEqual([
      {
        meter: 'tasmota:reader:SML',
        ownTimeMs: at('2022-07-07T11:01:11Z'),
        values: { powerW: -894, importWh: 34_507_476.1, exportWh: 14_737_142.2 },
        flags: [],
      },
    ]);
  });

  test('the name of the SML group is free, and two groups are two meters', () => {
    const payload =
      '{"Time":"2022-07-07T13:01:11","Haus":{"Total_in":1.5},"PV":{"E_out":2},"DS18B20":{"Temperature":20}}';
    expect(take('tele/reader/SENSOR', payload)).toMatchObject([
      { meter: 'tasmota:reader:Haus', values: { importWh: 1_500 } },
      { meter: 'tasmota:reader:PV', values: { exportWh: 2_000 } },
    ]);
  });

  test('the order of the parts of the topic is user-editable', () => {
    expect(take('plug1/tele/SENSOR', SENSOR)).toMatchObject([{ meter: 'tasmota:plug1' }]);
    expect(take('tele/house/plug1/SENSOR', SENSOR)).toMatchObject([{ meter: 'tasmota:house.2fplug1' }]);
  });

  test('what is no reading is passed over', () => {
    expect(take('tele/th1/SENSOR', '{"Time":"2021-10-26T17:28:45","AM2301":{"Temperature":22.1},"TempUnit":"C"}')).toBe(
      'ignored',
    );
    for (const topic of [
      'tele/plug1/LWT',
      'tele/plug1/STATE',
      'tele/plug1/INFO1',
      'stat/plug1/RESULT',
      'cmnd/plug1/POWER',
    ]) {
      expect(take(topic, '"Online"')).toBeUndefined();
    }
  });
});

describe('Shelly Gen 2 and later', () => {
  const device = 'shellypro3em-aabbcc';

  test('power and energy come on different topics: each alone is a reading with what it has', () => {
    const em =
      '{"id":0,"a_voltage":236.2,"a_act_power":0.0,"b_voltage":237.1,"b_act_power":20.9,"c_act_power":165.5,"n_current":null,"total_act_power":186.310}';
    expect(take(`${device}/status/em:0`, em)).toEqual([
      { meter: `shelly:${device}:em:0`, values: { powerW: 186.31, voltageV: 236.2 }, flags: [] },
    ]);
    expect(take(`${device}/status/emdata:0`, '{"id":0,"total_act":6644.90,"total_act_ret":2595.26}')).toEqual([
      { meter: `shelly:${device}:em:0`, values: { importWh: 6_644.9, exportWh: 2_595.26 }, flags: [] },
    ]);
  });

  test('a switch that measures', () => {
    const payload = '{"id":0,"output":true,"apower":15.8,"voltage":230.1,"current":0.132,"aenergy":{"total":9492.468}}';
    expect(take('shellyplus1pm-aabbcc/status/switch:0', payload)).toEqual([
      {
        meter: 'shelly:shellyplus1pm-aabbcc:switch:0',
        values: { powerW: 15.8, voltageV: 230.1, currentA: 0.132, importWh: 9_492.468 },
        flags: [],
      },
    ]);
  });

  test('returned energy is also counted in aenergy: import is the difference', () => {
    const payload = '{"id":0,"apower":-40.5,"aenergy":{"total":1000.5},"ret_aenergy":{"total":400.25}}';
    expect(take('attic/pm/status/pm1:0', payload)).toMatchObject([
      { meter: 'shelly:attic.2fpm:pm1:0', values: { powerW: -40.5, importWh: 600.25, exportWh: 400.25 } },
    ]);
    // Unknown for a moment, it must not make the register jump by all that was ever returned.
    const unknown = payload.replace('"ret_aenergy":{"total":400.25}', '"ret_aenergy":{"total":null}');
    expect(take('attic/pm/status/pm1:0', unknown)).toMatchObject([{ values: { powerW: -40.5 } }]);
    expect(JSON.stringify(take('attic/pm/status/pm1:0', unknown))).not.toContain('importWh');
  });

  test('three single phases are three meters, each with its own energy topic', () => {
    expect(
      take(`${device}/status/em1:2`, '{"id":2,"act_power":165.5,"voltage":235.9,"current":0.9,"pf":0.78,"freq":50}'),
    ).toMatchObject([
      { meter: `shelly:${device}:em1:2`, values: { powerW: 165.5, voltageV: 235.9, powerFactor: 0.78 } },
    ]);
    expect(
      take(`${device}/status/em1data:2`, '{"id":2,"total_act_energy":88.5,"total_act_ret_energy":0.0}'),
    ).toMatchObject([{ meter: `shelly:${device}:em1:2`, values: { importWh: 88.5, exportWh: 0 } }]);
  });

  test('a device says that its metering has failed', () => {
    expect(
      take(`${device}/status/em:0`, '{"id":0,"total_act_power":0.0,"errors":["power_meter_failure"]}'),
    ).toMatchObject([{ flags: ['fault'] }]);
  });

  test('what is no reading is passed over', () => {
    expect(take('shellyplus1-aabbcc/status/switch:0', '{"id":0,"output":true,"temperature":{"tC":48.6}}')).toBe(
      'ignored',
    );
    expect(take(`${device}/online`, 'true')).toBeUndefined();
    expect(take(`${device}/status/sys`, '{}')).toBeUndefined();
  });
});

describe('zigbee2mqtt', () => {
  const FREEZER = '{"state":"ON","power":66,"current":0.29,"voltage":231,"energy":12.34,"linkquality":112}';
  const values = { powerW: 66, currentA: 0.29, voltageV: 231, importWh: 12_340 };

  test('a plug, without a time of its own', () => {
    expect(take('zigbee2mqtt/Freezer', FREEZER)).toEqual([{ meter: 'z2m:Freezer', values, flags: [] }]);
  });

  test.each([
    ['"2025-01-15T10:30:00.123Z"', '2025-01-15T10:30:00.123Z'],
    ['"2025-01-15T11:30:00+01:00"', '2025-01-15T10:30:00Z'],
    ['1736937000123', '2025-01-15T10:30:00.123Z'],
  ])('last_seen as %s', (written, expected) => {
    const payload = FREEZER.replace('{', `{"last_seen":${written},`);
    expect(take('zigbee2mqtt/Freezer', payload)).toMatchObject([{ ownTimeMs: at(expected), values }]);
  });

  test('a name may contain a slash, and no two names become one', () => {
    const names = ['Kitchen/Freezer', 'Kitchen Freezer', 'Kitchen-Freezer', 'Kitchen.2fFreezer', 'Küche/Herd'];
    const meters = names.map(
      (name) => (take(`zigbee2mqtt/${name}`, FREEZER) as readonly { meter: string }[])[0]?.meter,
    );
    expect(meters).toEqual([
      'z2m:Kitchen.2fFreezer',
      'z2m:Kitchen.20Freezer',
      'z2m:Kitchen-Freezer',
      'z2m:Kitchen.2e2fFreezer',
      'z2m:K.c3.bcche.2fHerd',
    ]);
  });

  test.each([
    [100, 1],
    [98, 0.98],
    [0.98, 0.98],
    [1, 1],
    [0, 0],
    [-97, -0.97],
  ])('a power factor of %d is %d', (sent, factor) => {
    expect(take('zigbee2mqtt/Freezer', `{"power":66,"power_factor":${sent}}`)).toMatchObject([
      { values: { powerFactor: factor } },
    ]);
  });

  test('unknown, unavailable, null and empty mean missing, not 0', () => {
    const payload = '{"power":"unknown","current":"unavailable","voltage":null,"energy":12.34,"power_factor":""}';
    expect(take('zigbee2mqtt/Freezer', payload)).toEqual([
      { meter: 'z2m:Freezer', values: { importWh: 12_340 }, flags: [] },
    ]);
    expect(take('zigbee2mqtt/Freezer', '{"power":null,"energy":"unavailable"}')).toBe('nothing_usable');
  });

  test('what is no reading is passed over', () => {
    expect(take('zigbee2mqtt/Lamp', '{"state":"ON","brightness":254,"linkquality":80}')).toBe('ignored');
    for (const topic of [
      'bridge/state',
      'bridge/devices',
      'bridge/response/device/rename',
      'Freezer/availability',
      'Kitchen/Freezer/set',
      'Freezer/get',
      'Freezer/set/state',
    ]) {
      expect(take(`zigbee2mqtt/${topic}`, '{"power":1}')).toBeUndefined();
    }
  });
});

describe('DSMR-reader', () => {
  const TELEGRAM =
    '{"timestamp":"2025-01-15T10:30:00Z","electricity_delivered_1":"1073.079","electricity_delivered_2":"1263.199","electricity_returned_1":"0.000","electricity_currently_delivered":"1.143","phase_voltage_l1":"233.1"}';

  test('numbers are text, power is in kW, and both tariffs are one register', () => {
    expect(take('dsmr/json', TELEGRAM)).toEqual([
      {
        meter: 'dsmr',
        ownTimeMs: at('2025-01-15T10:30:00Z'),
        values: { powerW: 1_143, importWh: 2_336_278, voltageV: 233.1 },
        flags: [],
      },
    ]);
  });

  test('what is fed back makes power negative and has its own register', () => {
    const payload = TELEGRAM.replace(
      '"1.143"',
      '"0.000","electricity_currently_returned":"2.345","electricity_returned_2":"7.5"',
    );
    expect(take('dsmr/json', payload)).toMatchObject([{ values: { powerW: -2_345, exportWh: 7_500 } }]);
  });

  test('while one tariff is missing there is no register, rather than a smaller one', () => {
    for (const missing of [TELEGRAM.replace('"1263.199"', 'null'), TELEGRAM.replace('electricity_delivered_2', 'x')]) {
      expect(take('dsmr/json', missing)).toMatchObject([{ values: { powerW: 1_143, voltageV: 233.1 } }]);
      expect(JSON.stringify(take('dsmr/json', missing))).not.toContain('importWh');
    }
  });

  test.each([
    ['2025-01-15T11:30:00+01:00', '2025-01-15T10:30:00Z'],
    ['2025-07-15T11:30:00', '2025-07-15T09:30:00Z'],
    ['250715113000S', '2025-07-15T09:30:00Z'],
    ['250115113000W', '2025-01-15T10:30:00Z'],
    ['251026023000S', '2025-10-26T00:30:00Z'],
    ['251026023000W', '2025-10-26T01:30:00Z'],
  ])('a timestamp of %s', (written, expected) => {
    const payload = TELEGRAM.replace('2025-01-15T10:30:00Z', written);
    expect(take('dsmr/json', payload)).toMatchObject([{ ownTimeMs: at(expected) }]);
  });
});

describe('wmbusmeters', () => {
  const TELEGRAM =
    '{"_":"telegram","media":"electricity","meter":"amiplus","id":"10101010","total_energy_consumption_kwh":15694.05,"current_power_consumption_kw":0.33,"voltage_at_phase_1_v":236,"device_datetime":"2019-03-20 12:57","timestamp":"2019-03-20T11:57:02Z"}';

  test('power is in kW, and of two times the one in UTC with seconds counts', () => {
    expect(take('wmbusmeters/10101010', TELEGRAM)).toEqual([
      {
        meter: 'wmbus:10101010',
        ownTimeMs: at('2019-03-20T11:57:02Z'),
        values: { powerW: 330, importWh: 15_694_050, voltageV: 236 },
        flags: [],
      },
    ]);
  });

  test('the number of the meter names it, whatever the topic says', () => {
    expect(take('wmbusmeters/cellar', TELEGRAM)).toMatchObject([{ meter: 'wmbus:10101010' }]);
    expect(take('wmbusmeters/cellar', TELEGRAM.replace('"id":"10101010",', ''))).toBe('bad_meter_id');
  });

  test('a heat meter has kilowatt hours and is no electricity meter', () => {
    expect(take('wmbusmeters/1', TELEGRAM.replace('"electricity"', '"heat"'))).toBe('ignored');
  });

  test.each([
    ['OK', []],
    ['PERMANENT_ERROR POWER_LOW', ['fault']],
    ['TAMPERED ALARM', ['tamper', 'fault']],
  ])('a status of %s', (status, flags) => {
    const payload = TELEGRAM.replace('{', `{"status":"${status}",`);
    expect(take('wmbusmeters/10101010', payload)).toMatchObject([{ flags }]);
  });
});

test('no two shipped feeds give one name to two devices', () => {
  const tasmota = take('tele/plug1/SENSOR', '{"ENERGY":{"Power":1}}');
  const zigbee = take('zigbee2mqtt/plug1', '{"power":1}');
  expect([tasmota, zigbee]).toMatchObject([[{ meter: 'tasmota:plug1' }], [{ meter: 'z2m:plug1' }]]);
});
