import type { Settings } from '../../config/schema.js';
import { createFleetView } from '../api/fleet.js';
import { readOverview } from '../api/overview.js';
import { openReader } from '../buffer/reader.js';
import { systemClock } from '../domain/clock.js';
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
    return await readOverview({
      gateway: settings.gateway.name,
      clock: systemClock,
      source: reader,
      live: { view: async () => (await askGateway(controlPath(settings), 'view')) as MainView },
      fleet: createFleetView({ source: reader, clock: systemClock, silence: silenceRules(settings) }),
    });
  } finally {
    reader.close();
  }
}
