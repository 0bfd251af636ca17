import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { Clock } from '../domain/clock.js';
import { codeOf } from '../domain/errors.js';
import type { Connection } from './buffer-file.js';
import type { Moment } from './reading-log.js';

/** This opening of the buffer: rows name it and count time from it, whatever the clock of the machine says. */
export interface Boot {
  moment(): Moment;
  /** Only inside a transaction; a boot without it ended uncleanly. */
  ended(): void;
}

/** Only inside a transaction. */
export function startBoot(db: Connection, clock: Clock): Boot {
  const startedMs = clock.monotonicMs();
  const insert = db.prepare('insert into boot (kernel_boot_id, opened_at_ms, uptime_ms) values (?, ?, ?)');
  const { lastInsertRowid } = insert.run(kernelBootId(), Math.floor(clock.now()), Math.floor(uptime() * 1_000));
  const boot = Number(lastInsertRowid);
  const end = db.prepare('update boot set closed_at_ms = ? where id = ?');
  return {
    moment: () => ({ boot, monotonicMs: Math.floor(clock.monotonicMs() - startedMs) }),
    ended: () => void end.run(Math.floor(clock.now()), boot),
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
