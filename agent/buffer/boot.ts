import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { Clock } from '../domain/clock.js';
import { codeOf } from '../domain/errors.js';
import type { Connection } from './buffer-file.js';
import type { Moment } from './reading-log.js';
import type { Transactions } from './transactions.js';

/** This opening of the buffer: rows name it and count time from it, whatever the clock of the machine says. */
export interface Boot {
  /** This and the following only inside a transaction. */
  write(): void;
  moment(): Moment;
  /** A boot without it ended uncleanly. */
  ended(): void;
}

/** Its row is written with the first rows that name it: a full disk must not keep the buffer from opening. */
export function startBoot(db: Connection, clock: Clock, transactions: Transactions): Boot {
  const startedMs = clock.monotonicMs();
  const opened = [kernelBootId(), Math.floor(clock.now()), Math.floor(uptime() * 1_000)];
  const insert = db.prepare('insert into boot (kernel_boot_id, opened_at_ms, uptime_ms) values (?, ?, ?)');
  const end = db.prepare('update boot set closed_at_ms = ? where id = ?');
  let boot: number | undefined;
  let before: number | undefined;
  transactions.onBegin(() => {
    before = boot;
  });
  transactions.onRollback(() => {
    boot = before;
  });
  const written = (): number => {
    boot ??= Number(insert.run(opened).lastInsertRowid);
    return boot;
  };
  return {
    write: () => void written(),
    moment: () => ({ boot: written(), monotonicMs: Math.floor(clock.monotonicMs() - startedMs) }),
    ended: () => void end.run(Math.floor(clock.now()), boot ?? null),
  };
}

function kernelBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch (error) {
    // Systems other than Linux have none; without it every opening counts as a boot of its own.
    if (codeOf(error) === 'ENOENT') return randomUUID();
    throw error;
  }
}
