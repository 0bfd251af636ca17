import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openReader } from '../../agent/buffer/reader.js';
import { epochMs, type MeterId } from '../../agent/domain/brand.js';
import { flagBits } from '../../agent/domain/flags.js';
import { DAY_MS } from '../../agent/domain/slot.js';
import { STREET } from '../../models/fleet/traits.js';
import type { TrueDay, TrueFault, TrueTheft } from '../../scripts/simulator/truth.js';
import { succeeds, wattwarden } from '../kit/command.js';
import { type LoneGateway, openLoneGateway } from '../kit/lone-gateway.js';
import { storedValues } from '../kit/stored.js';

type Line = TrueDay | TrueFault | TrueTheft | { readonly what: 'simulation'; readonly seed: number };

let gateway: LoneGateway;
beforeAll(async () => {
  gateway = await openLoneGateway();
});
afterAll(() => gateway?.close());

const linesOf = async (path: string): Promise<Line[]> =>
  (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

test('simulated days reach the gateway, and the file says what really was', async () => {
  const truth = join(gateway.dir, 'truth.jsonl');
  const fleet = ['--meters', '4', '--feeders', '1', '--thefts', '2', '--deeds', 'bypass,cap', '--missing', '1'];
  const when = ['--days', '2', '--interval', '900', '--speed', 'max', '--faults', 'garbled,duplicate'];
  const said = await succeeds('simulate', '--url', `mqtt://${gateway.mqtt}`, ...fleet, ...when, '--truth', truth);
  const lines = await linesOf(truth);
  const of = <What extends Line['what']>(what: What) =>
    lines.filter((line): line is Extract<Line, { what: What }> => line.what === what);

  expect(of('simulation')).toMatchObject([{ seed: 1 }]);
  expect(of('day').length).toBe(2 * 4); // three customers who speak, and a feeder
  for (const { counted_wh, known } of of('day')) expect(known && counted_wh > 0).toBe(true);
  for (const { deed } of of('theft')) expect(['bypass', 'cap']).toContain(deed.kind);
  const thieves = of('theft').map(({ meter }) => meter);
  const stolen = of('day').filter(
    ({ meter, counted_wh, consumed_wh }) => thieves.includes(meter) && counted_wh < 0.9 * consumed_wh,
  );
  expect(stolen.length).toBeGreaterThan(0);
  const faults = of('fault');
  expect(new Set(faults.flatMap((line) => line.faults))).toEqual(new Set(['garbled', 'duplicate']));

  const stored = storedValues(join(gateway.dir, 'data', 'buffer.sqlite'));
  expect([...stored.keys()].sort()).toEqual(['feeder-1', 'meter-001', 'meter-002', 'meter-003']);
  const messages = Number(/(\d+) messages acknowledged/.exec(said)?.[1]);
  const garbled = faults.filter((line) => line.faults.includes('garbled')).length;
  // Of each pair one is the reading itself; a repeat that would come after the end is not sent.
  const doubled = faults.filter((line) => !line.faults.includes('garbled')).map(({ payload }) => payload);
  const repeated = doubled.length - new Set(doubled).size;
  const total = [...stored.values()].reduce((sum, values) => sum + values.length, 0);
  expect(total).toBe(messages - garbled - repeated);
});

test('the past comes first, a reading for each slot, and then what follows', async () => {
  const midnight = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const [since, start] = [midnight - 3 * DAY_MS, midnight - 2 * DAY_MS].map((ms) => new Date(ms).toISOString());
  const own = await openLoneGateway();
  try {
    const when = ['--since', since ?? '', '--start', start ?? '', '--days', '1', '--interval', '900', '--speed', 'max'];
    const fleet = ['--meters', '2', '--feeders', '1'];
    const said = await succeeds('simulate', '--url', `mqtt://${own.mqtt}`, ...fleet, ...when);
    // A list for the day that is past, and a reading each quarter of an hour.
    expect(said).toMatch(new RegExp(`${3 * (1 + 96)} messages acknowledged`));
    const stored = await storedValues(join(own.dir, 'data', 'buffer.sqlite'));
    expect([...stored.values()].map(({ length }) => length)).toEqual([384, 384, 384]);
  } finally {
    await own.close();
  }
});

test('feeders are shed in turn, and their meters say nothing meanwhile', async () => {
  const own = await openLoneGateway({ validate: { max_age_days: 4_000 } });
  try {
    const fleet = ['--meters', '4', '--feeders', '2', '--shedding', '6'];
    const when = ['--start', '2026-03-02T00:00:00Z', '--days', '4', '--interval', '900', '--speed', 'max'];
    const truth = join(own.dir, 'shed.jsonl');
    await succeeds('simulate', '--url', `mqtt://${own.mqtt}`, ...fleet, ...when, '--truth', truth);
    const stored = await storedValues(join(own.dir, 'data', 'buffer.sqlite'));
    // Two of four days, six hours each, on each feeder.
    expect([...stored].map(([meter, { length }]) => [meter, length]).sort()).toEqual(
      ['feeder-1', 'feeder-2', 'meter-001', 'meter-002', 'meter-003', 'meter-004'].map((name) => [
        name,
        4 * 96 - 2 * 24,
      ]),
    );
    for (const line of await linesOf(truth)) if (line.what === 'day') expect(line.known).toBe(true);
  } finally {
    await own.close();
  }
});

test.each(['broker', 'buffer'])('a theft without an end is written as one: %s', async (way) => {
  const truth = join(gateway.dir, `endless-${way}.jsonl`);
  const where =
    way === 'broker'
      ? ['--url', `mqtt://${gateway.mqtt}`, '--speed', 'max', '--interval', '900']
      : ['--into', `${truth}.sqlite`];
  const fleet = ['--meters', '2', '--feeders', '0', '--start', '2026-03-02T00:00:00Z', '--days', '1'];
  await succeeds('simulate', ...where, ...fleet, '--theft', '--truth', truth);
  const thefts = (await linesOf(truth)).filter((line) => line.what === 'theft');
  expect(thefts).toMatchObject([
    { meter: 'meter-001', from: '2026-03-01T21:00:00.000Z', to: null, deed: { kind: 'bypass' } },
  ]);
});

const STEPS = flagBits(['register_reset']);
const TAMPER = flagBits(['tamper']);

test('days that go straight into a buffer are the days of the file that says what really was', async () => {
  const [into, truth] = [join(gateway.dir, 'filled.sqlite'), join(gateway.dir, 'filled.jsonl')];
  const fleet = ['--meters', '24', '--feeders', '1', '--thefts', '3', '--start', '2026-03-02T00:00:00Z'];
  const deeds = ['--deeds', 'swapped_meters,register_rollback,tamper_flag'];
  await succeeds('simulate', ...fleet, ...deeds, '--days', '6', '--into', into, '--truth', truth);
  const lines = await linesOf(truth);
  const thefts = lines.filter((line) => line.what === 'theft');
  expect(thefts.length).toBe(3);
  const reader = openReader(into);
  const slotsOf = (meter: string, fromMs: number, toMs: number) =>
    reader.slotsOf(meter as MeterId, epochMs(fromMs), epochMs(toMs));
  try {
    const days = lines.filter((line) => line.what === 'day');
    expect(days.length).toBe(6 * 25);
    for (const { meter, day, counted_wh, known } of days) {
      const fromMs = Date.parse(day);
      const slots = slotsOf(meter, fromMs, fromMs + DAY_MS);
      const energyWh = slots.reduce((sum, { energyMwh }) => sum + (energyMwh ?? 0), 0) / 1_000;
      // Where a register breaks off, its power fills the minutes until another level is believed.
      expect(Math.abs(energyWh - counted_wh)).toBeLessThan(known ? 0.2 : 25);
    }
    // Who takes whose place, or sets a register back, is doubted for some hours: a day, or two where it is late.
    const doubted = days.filter(({ known }) => !known);
    expect(new Set(doubted.map(({ meter }) => meter)).size).toBe(3);
    expect(doubted.length).toBeLessThanOrEqual(6);

    for (const { meter, from, deed } of thefts) {
      const fromMs = Date.parse(from);
      const marked = slotsOf(meter, Date.parse('2026-03-02'), Date.parse('2026-03-08'))
        .filter(({ flags }) => (flags & (STEPS | TAMPER)) !== 0)
        .map(({ slotStartMs }) => slotStartMs);
      expect(marked[0]).toBeGreaterThan(fromMs - 300_000);
      expect(marked[0]).toBeLessThan(fromMs + 900_000);
      expect(marked.length > 1).toBe(deed.kind === 'tamper_flag');
    }
  } finally {
    reader.close();
  }
});

test.each([
  [
    'a format without times is not accelerated',
    ['--format', 'shelly', '--speed', '10', '--days', '1'],
    /carry no time/,
  ],
  ['a DSMR-reader is one meter', ['--format', 'dsmr-reader'], /names no meter/],
  ['accelerated time has an end', ['--speed', '10'], /--days/],
  ['somebody must speak', ['--meters', '3', '--missing', '3'], /leaves no customer/],
  ['a broker has a protocol', ['--url', 'me:word@localhost'], /^(?!.*word@).*begins with mqtt:/],
  ['a broker has an address', ['--url', 'mqtt://me:word@:x'], /^(?!.*word@).*names no broker/],
  ['the truth has a place', ['--days', '1', '--truth', '/nowhere/t.jsonl'], /--truth: .*no directory \/nowhere/],
  ['a buffer takes whole days', ['--into', 'buffer.sqlite', '--days', '1.5'], /whole ones/],
  ['a buffer is a new one', ['--into', 'package.json', '--days', '1'], /new file.*package\.json exists/],
  ['a buffer has no faults', ['--into', 'b.sqlite', '--days', '1', '--faults', 'gap'], /need a broker/],
  ['a buffer is sent nothing', ['--into', 'b.sqlite', '--days', '1', '--speed', '10'], /--speed would change/],
  [
    'what is said of messages is said to a broker',
    ['--into', 'b.sqlite', '--days', '1', '--format', 'native', '--interval', '5', '--meters-per-client', '1'],
    /--meters-per-client, --format, --interval would change nothing/,
  ],
  [
    'meters change places in pairs',
    ['--meters', '3', '--thefts', '2', '--deeds', 'swapped_meters'],
    /--thefts 2 need 4 customers/,
  ],
  [
    'a phase is reversed where there are several',
    ['--meters', '1', '--thefts', '1', '--deeds', 'reversed_phase'],
    /several phases: 1 are wanted, and 0 of the 1/,
  ],
  ['thieves do something', ['--thefts', '1', '--deeds', 'none'], /--thefts without --deeds/],
  ['no more thieves than customers', ['--meters', '3', '--thefts', '4'], /4 are more than the 3 customers/],
])('%s', async (_, given, words) => {
  const { code, stderr } = await wattwarden('simulate', ...given);
  expect(code).toBe(2);
  expect(stderr).toMatch(words);
});

test('help tells the equipment of a street as it is', async () => {
  const help = (await succeeds('simulate', '--help')).replaceAll(/\s+/g, ' ');
  expect(help).toContain(`panels (${STREET.solar} unless set)`);
  expect(help).toContain(`vehicle (${STREET.vehicle} unless set)`);
});

test('where no broker listens, it says so, without the password of the address', async () => {
  const { code, stdout, stderr } = await wattwarden(
    'simulate',
    '--meters',
    '2',
    '--url',
    'mqtt://me:secret@127.0.0.1:1',
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/mqtt:\/\/127\.0\.0\.1:1 cannot be used: .*--url/);
  expect(stdout + stderr).not.toContain('secret');
});
