import type { RecordedDamage } from '../../domain/damage.js';
import type { Connection } from '../buffer-file.js';

type Said = Pick<RecordedDamage, 'restored' | 'lost' | 'notes' | 'isRemoved'>;
interface DamageRow extends Omit<RecordedDamage, keyof Said> {
  readonly report: string | null;
}

/** Files that are damaged more often than this have been told of before. */
const MAX_DAMAGES = 20;
const NOTHING: Said = { restored: {}, lost: [], notes: [], isRemoved: false };

export function openDamageReads(db: Connection) {
  const newest = db.prepare<[number], DamageRow>(
    `select noticed_at_ms as noticedAtMs, cause, file, state, report from damage order by noticed_at_ms desc limit ?`,
  );
  return {
    damages: (): readonly RecordedDamage[] =>
      newest.all(MAX_DAMAGES).map(({ report, ...row }) => {
        const said = report === null ? {} : (JSON.parse(report) as Partial<Said>);
        return { ...row, ...NOTHING, ...said };
      }),
  };
}
