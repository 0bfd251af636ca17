import { Worker } from 'node:worker_threads';
import type { Settings } from '../../config/schema.js';
import { type ErrorCode, WattwardenError } from '../domain/errors.js';
import { keepSmallBeside } from '../domain/heap-growth.js';

/** What is handed to the thread and what it answers. */
export interface SettingsRequest {
  readonly file: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type SettingsAnswer = { readonly settings: Settings } | { readonly code: ErrorCode; readonly detail: string };

/**
 * Reads the settings in a thread that ends afterwards: the schema of all keys and the reader of YAML take twenty
 * megabytes, which a gateway that runs for months need not carry, and it can load the rest of itself meanwhile.
 */
export async function loadSettingsAside(request: SettingsRequest): Promise<Settings> {
  const worker = new Worker(new URL('./settings-worker.js', import.meta.url), { workerData: request });
  keepSmallBeside(worker);
  const answer = await new Promise<SettingsAnswer>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread that reads the settings has ended')));
  });
  if ('settings' in answer) return answer.settings;
  throw new WattwardenError(answer.code, answer.detail);
}
