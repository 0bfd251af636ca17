import { runGateway } from '../run.js';
import { type Given, settingsOf } from './given.js';

export async function run(given: Given): Promise<void> {
  process.exitCode = await runGateway(settingsOf(given));
}
