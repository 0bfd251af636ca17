import { expect, test } from 'vitest';
import type { MeterId } from '../domain/brand.js';
import { NOW, oneMeter } from './test-kit.js';

const HOUR = 3_600;
const kWh = (value: number): number => value * 1_000;

test('215.7 → 215.6 is jitter of the last digit: the register stands still', () => {
  const { says } = oneMeter();
  says({ importWh: kWh(215.7), powerW: 5 }, 0);
  const { reading, flags } = says({ importWh: kWh(215.6), powerW: 5 }, 60);
  expect(reading).toMatchObject({ importWh: kWh(215.7), powerW: 5 });
  expect(flags).toEqual(['register_jitter']);
  expect(says({ importWh: kWh(215.8) }, 120)).toMatchObject({ flags: [], reading: { importWh: kWh(215.8) } });
});

test('x → 0 → x is a glitch: the 0 is left out and nothing is reset', () => {
  const { says } = oneMeter();
  says({ importWh: kWh(34_507.4761), powerW: 300 }, 0);
  const zero = says({ importWh: 0, powerW: 300 }, 10);
  expect(zero.reading).toMatchObject({ powerW: 300 });
  expect(zero.reading?.importWh).toBeUndefined();
  expect(zero.flags).toEqual(['register_back']);
  expect(zero.notes).toEqual(['register_back: import register went from 34507476.1 Wh to 0 Wh']);
  const back = says({ importWh: kWh(34_507.4771), powerW: 300 }, 20);
  expect(back).toMatchObject({ flags: [], reading: { importWh: kWh(34_507.4771) } });
});

test('x → 0 → x of a meter that sends nothing but its register is kept aside', () => {
  const { says } = oneMeter();
  says({ importWh: kWh(500) }, 0);
  expect(says({ importWh: 0 }, 10)).toMatchObject({ reading: undefined, reason: 'going_back' });
  expect(says({ importWh: kWh(500) }, 20)).toMatchObject({ reason: undefined, reading: { importWh: kWh(500) } });
});

test('a reset is accepted when readings have confirmed it and a whole slot lies between the two levels', () => {
  const { says } = oneMeter();
  says({ importWh: kWh(900), powerW: 1_000 }, 0);
  const flags: string[] = [];
  for (let i = 1; i <= 12; i += 1) {
    flags.push(says({ importWh: 1_000 * (i / 60), powerW: 1_000 }, i * 60).flags.join());
  }
  expect(flags.slice(0, 9)).toEqual(Array(9).fill('register_back'));
  expect(flags.slice(9)).toEqual(['register_reset', '', '']);
});

test('a register that stays at zero is not believed: it has to grow', () => {
  const { says } = oneMeter();
  says({ importWh: kWh(900), powerW: 1_000 }, 0);
  for (let i = 1; i <= 40; i += 1)
    expect(says({ importWh: 0, powerW: 1_000 }, i * 60).flags).toEqual(['register_back']);
});

test('readings that disagree with each other confirm nothing', () => {
  const { says } = oneMeter();
  says({ importWh: kWh(900), powerW: 1_000 }, 0);
  for (let i = 1; i <= 40; i += 1) {
    expect(says({ importWh: i % 2 === 0 ? 10 : kWh(400), powerW: 1 }, i * 60).flags).toEqual(['register_back']);
  }
});

test.each([
  ['838,860.7 kWh, known from its feed', 838_860_700, 'sample'],
  ['2³¹/1000 kWh, known from the configuration', 2 ** 31, 'known'],
])('a register rolls over at %s', (_name, max, from) => {
  const meters = new Map([['m1' as MeterId, { registerMaxWh: max }]]);
  const { says } = oneMeter(from === 'known' ? { meters } : {});
  const more = from === 'known' ? {} : { registerMaxWh: max };
  says({ importWh: max - 20 }, 0, more);
  expect(says({ importWh: 30 }, 60, more)).toMatchObject({ flags: ['register_rollover'], reading: { importWh: 30 } });
  expect(says({ importWh: 80 }, 120, more).flags).toEqual([]);
});

test('without a known maximum a rollover is a reset, and has to be confirmed', () => {
  const { says } = oneMeter();
  says({ importWh: 838_860_680, powerW: 1 }, 0);
  expect(says({ importWh: 30, powerW: 1 }, 60).flags).toEqual(['register_back']);
});

test('a step above the physical cap is left out: 60 kW for one minute is 1 kWh', () => {
  const { says } = oneMeter();
  says({ importWh: kWh(10), powerW: 500 }, 0);
  expect(says({ importWh: kWh(11), powerW: 500 }, 60).flags).toEqual([]);
  const spike = says({ importWh: kWh(16_777), powerW: 500 }, 120);
  expect(spike.flags).toEqual(['register_step']);
  expect(spike.reading?.importWh).toBeUndefined();
  expect(says({ importWh: kWh(11.01), powerW: 500 }, 180).flags).toEqual([]);
});

test('a spike of a meter that sends nothing but its register is kept aside', () => {
  const { says } = oneMeter();
  says({ importWh: kWh(10) }, 0);
  expect(says({ importWh: kWh(16_777) }, 60).reason).toBe('step_too_big');
});

test('a meter that was off for a month may jump by what a month allows', () => {
  const { says } = oneMeter();
  says({ importWh: kWh(10) }, 0);
  expect(says({ importWh: kWh(10_010) }, 30 * 24 * HOUR)).toMatchObject({
    flags: [],
    reading: { importWh: kWh(10_010) },
  });
});

test('a total that somebody has preset (Tasmota: EnergyTotal) is a beginning, confirmed like a reset', () => {
  const { says } = oneMeter();
  says({ importWh: kWh(3), powerW: 600 }, 0);
  const flags = Array.from(
    { length: 11 },
    (_, i) => says({ importWh: kWh(9_098) + i * 10, powerW: 600 }, (i + 1) * 60).flags[0],
  );
  expect(flags.slice(0, 9)).toEqual(Array(9).fill('register_step'));
  expect(flags.slice(9)).toEqual(['register_reset', undefined]);
});

test('a large customer has a cap of its own', () => {
  const meters = new Map([['m1' as MeterId, { capW: 900_000 }]]);
  for (const [rules, flags] of [
    [{}, ['register_step']],
    [{ meters }, []],
  ] as const) {
    const { says } = oneMeter(rules);
    says({ importWh: kWh(10), powerW: 300_000 }, 0);
    expect(says({ importWh: kWh(20), powerW: 300_000 }, 60).flags).toEqual(flags);
  }
});

test('a late reading has to fit below the newer one, and moves nothing', () => {
  const { says } = oneMeter();
  const at = (atS: number) => ({ ownTimeMs: (NOW + atS * 1_000) as typeof NOW });
  says({ importWh: kWh(100), powerW: 1 }, 0, at(0));
  says({ importWh: kWh(105), powerW: 1 }, HOUR, at(HOUR));
  expect(says({ importWh: kWh(102), powerW: 1 }, HOUR, at(HOUR / 2)).flags).toEqual([]);
  expect(says({ importWh: kWh(106), powerW: 1 }, HOUR, at(HOUR / 3)).flags).toEqual(['register_back']);
  expect(says({ importWh: 0, powerW: 1 }, HOUR, at(HOUR / 4)).flags).toEqual(['register_step']);
  expect(says({ importWh: kWh(105.1), powerW: 1 }, HOUR + 60, at(HOUR + 60)).flags).toEqual([]);
});

test('a returned-energy register is followed like the other one', () => {
  const { says } = oneMeter();
  says({ exportWh: kWh(7), powerW: -200 }, 0);
  expect(says({ exportWh: 0, powerW: -200 }, 60)).toMatchObject({
    flags: ['register_back'],
    reading: { powerW: -200 },
  });
});

test('increments add up to a register, which a restart takes from the last reading stored', () => {
  const { says } = oneMeter();
  const stored = [9, 11, 10].map((importDeltaWh, i) => says({ powerW: 170 }, i * 60, { importDeltaWh }).reading);
  expect(stored.map((reading) => reading?.importWh)).toEqual([9, 20, 30]);

  const again = oneMeter();
  again.validator.remember(stored.flatMap((reading) => reading ?? []));
  expect(again.says({ powerW: 170 }, 180, { importDeltaWh: 10 })).toMatchObject({
    flags: ['register_summed'],
    reading: { importWh: 40 },
  });
});

test('an increment above the cap is not added', () => {
  const { says } = oneMeter();
  says({ powerW: 1 }, 0, { importDeltaWh: 9 });
  const spike = says({ powerW: 1 }, 60, { importDeltaWh: kWh(50) });
  expect(spike.flags).toEqual(['register_step']);
  expect(spike.reading?.importWh).toBeUndefined();
  expect(says({ powerW: 1 }, 120, { importDeltaWh: 9 }).reading).toMatchObject({ importWh: 18 });
  expect(says({ powerW: 1 }, 180, { importDeltaWh: -9 }).reason).toBe('out_of_range');
});

test('an increment alone is a reading', () => {
  expect(oneMeter().says({}, 0, { importDeltaWh: 9 }).reading).toMatchObject({ importWh: 9 });
});

test('what was not stored moves no register, adds no increment and confirms nothing', () => {
  const { says } = oneMeter();
  says({ importWh: kWh(10), powerW: 1 }, 0);
  says({ importWh: kWh(10.5), powerW: 1 }, 60).forget();
  expect(says({ importWh: kWh(10.3), powerW: 1 }, 120)).toMatchObject({ flags: [], reading: { importWh: kWh(10.3) } });

  const summing = oneMeter();
  summing.says({}, 0, { importDeltaWh: 5 });
  summing.says({}, 60, { importDeltaWh: 5 }).forget();
  expect(summing.says({}, 60, { importDeltaWh: 5 }).reading).toMatchObject({ importWh: 10 });
});

test('a zero that comes late is a glitch too, also where the register stands so low that the cap would allow it', () => {
  const { says } = oneMeter();
  says({ importWh: kWh(20), powerW: 300 }, 0);
  says({ importWh: kWh(20.3), powerW: 300 }, HOUR);
  const zero = says({ importWh: 0, powerW: 300 }, HOUR / 2);
  expect(zero.flags).toEqual(['register_back']);
  expect(zero.reading?.importWh).toBeUndefined();
  expect(says({ importWh: kWh(20.1), powerW: 300 }, HOUR / 4)).toMatchObject({
    flags: [],
    reading: { importWh: kWh(20.1) },
  });
});

test('what is late is held against where the register stood hours before', () => {
  const { says } = oneMeter();
  for (let hour = 0; hour <= 24; hour++) says({ importWh: kWh(10 + hour), powerW: 1_000 }, hour * HOUR);
  const late = (hour: number, wh: number) => says({ importWh: wh, powerW: 1_000 }, hour * HOUR + 1_800).flags;
  expect(late(23, kWh(5))).toEqual(['register_back']);
  expect(late(16, kWh(5))).toEqual(['register_back']);
  expect(late(16, kWh(26.5))).toEqual([]);
});
