import { askGateway } from '../ops/control.js';
import { controlPath } from '../settings.js';
import { type Given, settingsOf } from './given.js';

export async function sync(given: Given): Promise<void> {
  await askGateway(controlPath(settingsOf(given)), 'sync-now');
  console.log('Asked; `wattwarden status` shows the link.');
}
