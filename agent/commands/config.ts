import { printSettings } from '../../config/print.js';
import { referenceText } from '../../config/reference.js';
import { type Given, settingsOf } from './given.js';

export function checkConfig(given: Given): void {
  settingsOf(given);
  console.log('The configuration is valid.');
}

export function printConfig(given: Given): void {
  console.log(printSettings(settingsOf(given)));
}

export function printReference(): void {
  console.log(referenceText());
}
