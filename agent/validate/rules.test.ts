import { expect, test } from 'vitest';
import { epochMs } from '../domain/brand.js';
import { NOW, oneMeter } from './test-kit.js';

const at = (ms: number) => ({ ownTimeMs: epochMs(ms) });

test('time missing where it is demanded', () => {
  expect(oneMeter({ requireTime: true }).says({ powerW: 1 }, 0).reason).toBe('time_missing');
  expect(oneMeter({ requireTime: true }).says({ powerW: 1 }, 0, at(NOW)).reason).toBeUndefined();
});

test.each([
  ['at 1970', 0],
  ['at 2000-01-01, as after a dead battery', Date.UTC(2000, 0, 1)],
  ['months ahead', NOW + 90 * 86_400_000],
])('a clock %s: the reading has the time of its arrival and a flag, or is refused', (_name, ms) => {
  const { reading, flags, notes } = oneMeter({ badClock: 'gateway_time' }).says({ powerW: 1 }, 0, at(ms));
  expect(reading).toMatchObject({ takenAtMs: NOW, timeSource: 'gateway', powerW: 1 });
  expect(flags).toEqual(['meter_clock_off']);
  expect(notes[0]).toContain(new Date(ms).toISOString());
  expect(oneMeter({ badClock: 'refuse' }).says({ powerW: 1 }, 0, at(ms)).reason).toMatch(/^(bad_clock|in_future)$/);
});

test('a clock months behind can be a backlog: its time is kept', () => {
  const ms = NOW - 90 * 86_400_000;
  expect(oneMeter().says({ powerW: 1 }, 0, at(ms)).reading).toMatchObject({ takenAtMs: ms, timeSource: 'meter' });
});

test('while the gateway’s own clock is not set, nothing is refused for its time', () => {
  const since1970S = -NOW / 1_000;
  for (const ms of [0, NOW, NOW + 4e12]) {
    expect(oneMeter().says({ powerW: 1 }, since1970S + 5, at(ms)).reading).toMatchObject({ takenAtMs: ms });
  }
});

test('a false 0 W between real values (zigbee2mqtt): the reading after it says so', () => {
  const { says } = oneMeter();
  const flagsOfSeries = [66, 66, 0, 66, 66].map((powerW, i) => says({ powerW, voltageV: 231 }, i * 0.4).flags);
  expect(flagsOfSeries).toEqual([[], [], [], ['after_suspect_zero'], []]);
});

test('a device that is switched off, or on, is no false zero', () => {
  const { says } = oneMeter();
  for (const [powerW, atS] of [
    [66, 0],
    [0, 1],
    [0, 30],
    [66, 90],
    [66, 91],
    [0, 100],
    [66, 103],
  ] as const) {
    expect(says({ powerW }, atS).flags).toEqual([]);
  }
});

test('a late reading in between does not let two readings have one time', () => {
  const { says } = oneMeter();
  const first = says({ powerW: 66 }, 0).reading;
  says({ powerW: 65 }, 0, at(NOW - 60_000));
  expect(says({ powerW: 66 }, 0).reading?.takenAtMs).not.toBe(first?.takenAtMs);
});

test('repeats two or three times a second, without a time and not marked, are readings', () => {
  const { says } = oneMeter();
  const times = [0, 0.3, 0.6].map((atS) => says({ powerW: 66 }, atS).reading?.takenAtMs);
  expect(new Set(times).size).toBe(3);
});

test.each([
  ['kWh that are Wh', 1_000, 'the register counts 1,000 times what power says'],
  ['Wh that are watt-minutes', 60, 'the register counts 60 times what power says'],
  ['Wh that are kWh', 1 / 1_000, 'power says 1,000 times what the register counts'],
  ['power that is in W/60', 1 / 60, 'power says 60 times what the register counts'],
])('power and register apart: %s', (_name, factor, words) => {
  const { says } = oneMeter();
  const notes: string[] = [];
  const flags: string[] = [];
  for (let minute = 0; minute <= 400; minute += 1) {
    const said = says({ powerW: 800, importWh: 5_000 + minute * (800 / 60) * factor }, minute * 60);
    notes.push(...said.notes.filter((note) => note.startsWith('unit_suspect')));
    flags.push(...said.flags.filter((flag) => flag === 'unit_suspect'));
  }
  expect([...new Set(notes)]).toEqual([`unit_suspect: ${words}`]);
  expect(flags.length).toBeGreaterThan(200);
});

test('power and register that agree, also with a coarse register and a wavering load, are no suspects', () => {
  const { says } = oneMeter();
  let wh = 0;
  for (let minute = 0; minute <= 600; minute += 1) {
    const powerW = 300 + 250 * Math.sin(minute / 7);
    wh += powerW / 60;
    expect(says({ powerW, importWh: Math.floor(wh / 100) * 100 }, minute * 60).flags).toEqual([]);
  }
});

test('export and standby are no suspects: too little flows to say anything', () => {
  const { says } = oneMeter();
  for (let minute = 0; minute <= 600; minute += 1) {
    expect(says({ powerW: minute % 2 === 0 ? -2_000 : 0.4, importWh: 5_000 }, minute * 60).flags).toEqual([]);
  }
});

test('power_factor in per cent from the native feed is out of range', () => {
  expect(oneMeter().says({ powerFactor: 100 }, 0).reason).toBe('out_of_range');
});

test('nothing in it, and no increment either', () => {
  expect(oneMeter().says({}, 0).reason).toBe('nothing_usable');
});

test('a repeat of a reading whose register was left out is recognised after a restart', () => {
  const { says } = oneMeter();
  const first = says({ importWh: 50_000, powerW: 7 }, 0, at(NOW)).reading;
  const glitch = says({ importWh: 0, powerW: 7 }, 10, at(NOW + 10_000)).reading;
  const again = oneMeter();
  again.validator.remember([first, glitch].flatMap((reading) => reading ?? []));
  expect(again.says({ importWh: 0, powerW: 7 }, 20, at(NOW + 10_000)).reason).toBe('duplicate');
  expect(again.says({ importWh: 0, powerW: 8 }, 20, at(NOW + 10_000)).reason).toBe('conflicting');
});

test('thousands of batches that were not stored wipe nothing that was', () => {
  const { says } = oneMeter();
  says({ powerW: 7 }, 0, at(NOW));
  for (let i = 1; i < 200; i += 1) says({ powerW: i }, i, at(NOW + i)).forget();
  expect(says({ powerW: 7 }, 0, at(NOW)).reason).toBe('duplicate');
});
