import type { Settings } from '../../config/schema.js';
import { createFleetView } from '../api/fleet.js';
import { readOverview } from '../api/overview.js';
import { openReader } from '../buffer/reader.js';
import { epochMs } from '../domain/brand.js';
import { type Clock, systemClock } from '../domain/clock.js';
import { askGateway } from '../ops/control.js';
import { statusScreen } from '../ops/status.js';
import { bufferPath, controlPath, silenceRules } from '../settings.js';
import type { MainView } from '../threads/messages.js';
import { type Given, print, settingsOf } from './given.js';

export async function status(given: Given): Promise<void> {
  const overview = await readStatus(settingsOf(given));
  print(given, overview, () => statusScreen(overview));
  if (overview.health.status === 'failing') process.exitCode = 1;
}

/** From the buffer, and from the gateway itself when it runs. */
async function readStatus(settings: Settings) {
  const reader = openReader(bufferPath(settings));
  try {
    const asked = askGateway(controlPath(settings), 'view') as Promise<MainView>;
    const clock = await clockOf(asked);
    return await readOverview({
      gateway: settings.gateway.name,
      clock,
      source: reader,
      live: { view: () => asked },
      fleet: createFleetView({ source: reader, clock, silence: silenceRules(settings) }),
    });
  } finally {
    reader.close();
  }
}

/** The gateway's own time while it runs: the clock of the machine may be wrong. */
async function clockOf(asked: Promise<MainView>): Promise<Clock> {
  try {
    const { nowMs } = (await asked).clock;
    const aheadMs = systemClock.now() - nowMs;
    return { ...systemClock, now: () => epochMs(systemClock.now() - aheadMs) };
  } catch {
    return systemClock; // not running: whoever asks next says so
  }
}
