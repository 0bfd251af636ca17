import { describeTrust } from '../domain/trust.js';
import { askGateway } from '../ops/control.js';
import { controlPath } from '../settings.js';
import type { ClockState, MainView } from '../threads/messages.js';
import { type Given, print, settingsOf } from './given.js';

/** What the time of the running gateway rests on; with `trust`, a person says that the machine's clock is right. */
export async function clock(given: Given & { readonly trust?: true }): Promise<void> {
  const path = controlPath(settingsOf(given));
  if (given.trust === true) await askGateway(path, 'trust-clock');
  const { clock: state } = (await askGateway(path, 'view')) as MainView;
  print(given, state, () => screen(state));
}

function screen({ nowMs, trust, held, machineAheadMs }: ClockState): string {
  const machine = new Date(nowMs + machineAheadMs).toISOString();
  return [
    `gateway   ${new Date(nowMs).toISOString()}${trust.state === 'untrusted' ? '  (not known)' : ''}`,
    `machine   ${machine}`,
    `rests on  ${describeTrust(trust)}`,
    `waiting   ${held} readings`,
  ].join('\n');
}
