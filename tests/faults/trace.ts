/** What strace has seen of a gateway, as far as durability is concerned. */
export type Step = 'wal-write' | 'wal-sync' | 'puback';

/** Options of strace that give what `parseTrace` reads: paths beside numbers, all bytes in hexadecimal. */
export const STRACE = [
  'strace',
  '-f',
  '-y',
  '-xx',
  '-e',
  'trace=pwrite64,write,fdatasync,fsync,sendto,writev,sendmsg',
] as const;

const CALL = /^(\d+)\s+(\w+)\(\d+<([^>]*)>(.*)$/;
const RESUMED = /^(\d+)\s+<\.\.\. (\w+) resumed>.*= (-?\d+)/;
/** Type 4, and two bytes to follow. */
const PUBACK = '@\u0002';

const bytes = (text: string): string =>
  text.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** The steps in their order; a write counts when it begins, a sync when it has ended well. */
export function parseTrace(text: string): readonly Step[] {
  const steps: Step[] = [];
  const syncing = new Set<string>();
  for (const line of text.split('\n')) {
    const resumed = RESUMED.exec(line);
    if (resumed !== null) {
      const [, thread = '', call = '', result] = resumed;
      if (call.endsWith('sync') && syncing.delete(thread) && result === '0') steps.push('wal-sync');
      continue;
    }
    const [, thread = '', call = '', path = '', rest = ''] = CALL.exec(line) ?? [];
    const file = bytes(path);
    if (file.endsWith('-wal')) {
      if (!call.endsWith('sync')) steps.push('wal-write');
      else if (rest.includes('unfinished')) syncing.add(thread);
      else if (/= 0\b/.test(rest)) steps.push('wal-sync');
    } else if (/^(socket|TCP)/.test(file) && contentOf(rest).startsWith(PUBACK)) steps.push('puback');
  }
  return steps;
}

/** All strings of a call joined: a vector of buffers is one message. */
const contentOf = (rest: string): string => bytes([...rest.matchAll(/"([^"]*)"/g)].map(([, part]) => part).join(''));

/** A reading at a time: each PUBACK has a write and a sync of its own before it, and no write after that sync. */
export function traceFaults(steps: readonly Step[]): readonly string[] {
  const faults: string[] = [];
  let written = false;
  let synced = false;
  let count = 0;
  for (const step of steps) {
    if (step === 'wal-write') {
      written = true;
      synced = false;
    } else if (step === 'wal-sync') synced = true;
    else {
      count += 1;
      if (!written) faults.push(`PUBACK ${count}: nothing was written for it`);
      else if (!synced) faults.push(`PUBACK ${count}: the WAL was not synced after its last write`);
      written = false;
      synced = false;
    }
  }
  return faults;
}
