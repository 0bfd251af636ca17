import { keepHeapSmall } from '../domain/heap-growth.js';
import type { Given } from './given.js';
import { loadSettingsAside } from './settings-thread.js';

export async function run({ config: file }: Given): Promise<void> {
  keepHeapSmall();
  const reading = loadSettingsAside({ file, env: { ...process.env } });
  const [settings, { runGateway }] = await Promise.all([reading, import('../run.js')]);
  process.exitCode = await runGateway(settings);
}
