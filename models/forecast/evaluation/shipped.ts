import { fileURLToPath } from 'node:url';
import { WideCsvError } from '../../wide-csv.js';

const WIDTHS: readonly number[] = [5, 30];

/** The bundle that comes with the program for slots of so many minutes. */
export function shippedFor(slotMinutes: number): string {
  if (!WIDTHS.includes(slotMinutes)) {
    throw new WideCsvError(`no bundle for slots of ${slotMinutes} minutes ships with the program: --train or --bundle`);
  }
  return fileURLToPath(new URL(`../../../../models/bundles/default-${slotMinutes}min`, import.meta.url));
}
