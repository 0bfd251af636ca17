import { logIdOf, openForReading } from './buffer-file.js';
import { damageOf } from './damage.js';

/** Faults named of one check; the first already decides. */
const MAX_FAULTS = 3;

export type CheckResult =
  | { readonly outcome: 'whole'; readonly logId: string }
  | { readonly outcome: 'damaged'; readonly logId: string | null; readonly cause: string };

/** Reads the whole file, which may take minutes and cannot be interrupted: for a process of its own. */
export function checkFile(path: string): CheckResult {
  let id: string | null = null;
  try {
    const db = openForReading(path);
    try {
      id = logIdOf(db);
      const found = db.pragma(`quick_check(${MAX_FAULTS})`) as { readonly quick_check: string }[];
      const faults = found
        .map(({ quick_check: fault }) => fault.replaceAll('\n', ' '))
        .filter((fault) => fault !== 'ok');
      if (faults.length === 0) return { outcome: 'whole', logId: id };
      return { outcome: 'damaged', logId: id, cause: `quick_check: ${faults.join('; ')}` };
    } finally {
      db.close();
    }
  } catch (error) {
    const damage = damageOf(error);
    if (damage === undefined) throw error;
    return { outcome: 'damaged', logId: id, cause: damage };
  }
}
