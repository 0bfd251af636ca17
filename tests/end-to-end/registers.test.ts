import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openBuffer } from '../../agent/buffer/buffer.js';
import { openReader } from '../../agent/buffer/reader.js';
import { epochMs } from '../../agent/domain/brand.js';
import { systemClock } from '../../agent/domain/clock.js';
import { invariant } from '../../agent/domain/errors.js';
import { silentLogger } from '../../agent/domain/log.js';
import { validationRules } from '../../agent/settings.js';
import { nativeFeed } from '../../agent/validate/feeds/native.js';
import { createValidator } from '../../agent/validate/validator.js';
import { settingsSchema } from '../../config/schema.js';

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

const FROM_MS = Math.floor(Date.now() / 3_600_000 - 3) * 3_600_000;
const MINUTES = 120;
const POWER_W = 1_200;

/** A constant load for two hours; `registerAt` is what the register says. Gives the energy of each closed slot, in Wh. */
function energiesOf(registerAt: (minute: number) => number): readonly number[] {
  const dir = mkdtempSync(join(tmpdir(), 'wattwarden-registers-'));
  dirs.push(dir);
  const path = join(dir, 'buffer.sqlite');
  const options = {
    slotGraceMs: 0,
    maxRejected: 100,
    maxRejectedBytes: 1_000_000,
    retentionMs: 1e12,
    keepUnsettled: false,
  };
  const buffer = openBuffer({ ...options, path, clock: systemClock, log: silentLogger });
  const rules = validationRules(
    settingsSchema.parse({ version: 1, meters: { known: [{ id: 'm1', register_max_wh: 838_860_700 }] } }),
  );
  const validator = createValidator(rules, [nativeFeed], buffer.registeredMeters());
  for (let minute = 0; minute <= MINUTES; minute += 1) {
    const atMs = FROM_MS + minute * 60_000;
    const payload = Buffer.from(JSON.stringify({ ts: atMs, power_w: POWER_W, import_wh: registerAt(minute) }));
    buffer.commit(
      validator.validate([{ topic: 'meters/m1/reading', payload, repeated: false, receivedAtMs: epochMs(atMs) }]),
    );
  }
  while (buffer.closeSlots(epochMs(FROM_MS + MINUTES * 60_000), 1_000).more);
  buffer.close();
  const reader = openReader(path);
  const [meter] = reader.meters();
  invariant(meter !== undefined, 'the meter is registered');
  const span = [epochMs(0), epochMs(FROM_MS + MINUTES * 60_000)] as const;
  const slots = reader.slotsOf(meter.id, ...span).map(({ energyMwh }) => energyMwh / 1_000);
  reader.close();
  return slots;
}

const used = (minute: number): number => (minute * POWER_W) / 60;

test.each([
  ['goes on', (minute: number) => 50_000 + used(minute)],
  ['is reset', (minute: number) => (minute < 43 ? 50_000 + used(minute) : used(minute - 43))],
  ['is preset to a higher value', (minute: number) => (minute < 43 ? 3_000 : 9_098_000) + used(minute)],
  ['falls to zero for a moment', (minute: number) => (minute % 17 === 5 ? 0 : 50_000 + used(minute))],
  ['jumps for a moment', (minute: number) => (minute % 17 === 5 ? 16_777_216 : 50_000 + used(minute))],
  ['rolls over', (minute: number) => (838_860_000 + used(minute)) % 838_860_700],
  ['wavers in its last digit', (minute: number) => 50_000 + used(minute) - (minute % 2) * 90],
])('no slot takes for energy what a register does that %s', (_name, registerAt) => {
  const energies = energiesOf(registerAt);
  expect(energies).toHaveLength(MINUTES / 5);
  const slotWh = POWER_W / 12;
  // The first reading of a slot comes with its first minute, and a wavering register lags by its tolerance.
  for (const wh of energies) expect(Math.abs(wh - slotWh)).toBeLessThanOrEqual(100);
  const sum = energies.reduce((total, wh) => total + wh, 0);
  expect(Math.abs(sum - MINUTES * (POWER_W / 60))).toBeLessThan(2 * slotWh);
});
