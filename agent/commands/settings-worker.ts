import { parentPort, workerData } from 'node:worker_threads';
import { loadSettings } from '../../config/load.js';
import { WattwardenError } from '../domain/errors.js';
import type { SettingsAnswer, SettingsRequest } from './settings-thread.js';

parentPort?.postMessage(answer(workerData as SettingsRequest));

function answer(request: SettingsRequest): SettingsAnswer {
  try {
    return { settings: loadSettings(request) };
  } catch (error) {
    if (error instanceof WattwardenError) return { code: error.code, detail: error.message };
    throw error;
  }
}
