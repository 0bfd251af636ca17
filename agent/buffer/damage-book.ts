import type { EpochMs } from '../domain/brand.js';
import type { RecordedDamage } from '../domain/damage.js';
import type { Connection } from './buffer-file.js';
import type { Transactions } from './transactions.js';

/** What is told of a damage when it is noticed. */
export interface Damage {
  readonly atMs: EpochMs;
  readonly cause: string;
  /** The name under which what was there is kept; null when nothing was. */
  readonly file: string | null;
  /** The log whose rows it holds, as far as that is known. */
  readonly logId: string | null;
}

export interface DamageReport extends Pick<RecordedDamage, 'restored' | 'lost' | 'notes'> {
  readonly state: 'salvaged' | 'given_up';
}

/** A file that waits to be salvaged, and how many rows of each table have been stored again. */
export interface Salvaged {
  readonly file: string;
  readonly noticedAtMs: number;
  readonly done: Readonly<Record<string, number>>;
}

export interface DamageBook {
  /** False when somebody had the file open and did not close it. */
  lastBootEnded(): boolean;
  note(damage: Damage): void;
  unsalvaged(): readonly Salvaged[];
  end(file: string, report: DamageReport, atMs: number): void;
  removed(file: string): void;
}

export const SALVAGED = 'salvaged:';

export function openDamageBook(db: Connection, transactions: Transactions): DamageBook {
  const lastBoot = db.prepare<[], number>('select closed_at_ms is not null from boot order by id desc limit 1').pluck();
  const insert = db.prepare('insert into damage (noticed_at_ms, cause, file, log_id, state) values (?, ?, ?, ?, ?)');
  const waiting = db.prepare<[], { readonly file: string; readonly noticedAtMs: number }>(
    `select file, noticed_at_ms as noticedAtMs from damage where state = 'waiting' order by id`,
  );
  const finish = db.prepare(`update damage set state = ?, finished_at_ms = ?, report = ? where file = ?`);
  const remove = db.prepare(`update damage set report = json_set(report, '$.isRemoved', json('true')) where file = ?`);
  const positions = db.prepare<[string, number, string], { readonly name: string; readonly position: number }>(
    'select name, position from cursor where log_id = ? and substr(name, 1, ?) = ?',
  );
  return {
    lastBootEnded: () => lastBoot.get() !== 0,
    note({ atMs, cause, file, logId }) {
      const state = file === null ? 'nothing' : 'waiting';
      transactions.run(() => insert.run(Math.floor(atMs), cause, file, logId, state));
    },
    unsalvaged: () =>
      waiting.all().map(({ file, noticedAtMs }) => {
        const prefix = `${SALVAGED}${file}:`;
        const rows = positions.all(transactions.logId, prefix.length, prefix);
        const done = Object.fromEntries(rows.map(({ name, position }) => [name.slice(prefix.length), position]));
        return { file, noticedAtMs, done };
      }),
    end(file, report, atMs) {
      const { state, ...said } = report;
      transactions.run(() => finish.run(state, Math.floor(atMs), JSON.stringify(said), file));
    },
    removed: (file) => void transactions.run(() => remove.run(file)),
  };
}
