import type { Connection } from './buffer-file.js';

/** The rows of the table `boot`; everything only inside a transaction. */
export interface ClockSpans {
  /** From the same start of the kernel, by somebody's word. */
  knownBaseMs(kernelBoot: string, countMs: number): number | undefined;
  insert(kernelBoot: string, span: Opening): number;
  close(id: number, atMs: number): void;
  place(id: number, placed: Placed): void;
  /** What earlier spans hold whose time never became known; `firstMs`: the true time at which the one after them began. */
  placeEarlier(firstMs: number): void;
}

interface Opening {
  readonly openedAtMs: number;
  readonly countMs: number;
  readonly trust: string;
}

interface Placed {
  readonly trust: string;
  readonly offsetMs: number;
  readonly uncertaintyMs: number | null;
}

interface SpanRow {
  readonly id: number;
  readonly kernelBoot: string;
  readonly openedAtMs: number;
  readonly closedAtMs: number | null;
  /** What the kernel's counter must be added to, as this span had it, its correction included. */
  readonly baseMs: number;
}

const COLUMNS = `id, kernel_boot_id as kernelBoot, opened_at_ms as openedAtMs, closed_at_ms as closedAtMs,
  opened_at_ms - uptime_ms + offset_ms as baseMs`;

export function prepareSpans(db: Connection): ClockSpans {
  const insert = db.prepare('insert into boot (kernel_boot_id, opened_at_ms, uptime_ms, trust) values (?, ?, ?, ?)');
  const close = db.prepare('update boot set closed_at_ms = ? where id = ?');
  const place = db.prepare('update boot set trust = ?, offset_ms = ?, uncertainty_ms = ? where id = ?');
  const waiting = db.prepare<[], SpanRow>(`select ${COLUMNS} from boot where trust = 'untrusted' order by id desc`);
  const sameKernel = db
    .prepare<[string, number], number>(
      `select opened_at_ms - uptime_ms + offset_ms from boot
       where kernel_boot_id = ? and trust not in ('untrusted', 'estimated') order by abs(id - ?) limit 1`,
    )
    .pluck();
  const witnessed = db
    .prepare<[string, number], number>(
      `select opened_at_ms - uptime_ms + offset_ms from boot where kernel_boot_id = ? and uptime_ms <= ?
         and trust not in ('untrusted', 'estimated', 'unverified') order by id desc limit 1`,
    )
    .pluck();
  const lastRowBefore = openLastRow(db);

  return {
    knownBaseMs: (kernelBoot, countMs) => witnessed.get(kernelBoot, countMs),
    insert: (kernelBoot, { openedAtMs, countMs, trust }) =>
      Number(insert.run(kernelBoot, openedAtMs, countMs, trust).lastInsertRowid),
    close: (id, atMs) => void close.run(Math.floor(atMs), id),
    place: (id, { trust, offsetMs, uncertaintyMs }) => void place.run(trust, offsetMs, uncertaintyMs, id),
    placeEarlier(firstMs) {
      const unknown: { readonly id: number; readonly offsetMs: number }[] = [];
      let nextMs = firstMs;
      for (const { id, kernelBoot, openedAtMs, closedAtMs, baseMs } of waiting.all()) {
        const knownBaseMs = sameKernel.get(kernelBoot, id);
        if (knownBaseMs !== undefined) {
          // The kernel has counted on from one to the other.
          const offsetMs = knownBaseMs - baseMs;
          place.run('carried', offsetMs, null, id);
          nextMs = openedAtMs + offsetMs;
          continue;
        }
        // Nothing tells how long the machine was off before and after: most restarts are short, so it goes to the end.
        const last = lastRowBefore(id + 1);
        const endMs = Math.max(openedAtMs, closedAtMs ?? 0, last?.boot === id ? last.receivedAtMs : 0);
        const offsetMs = nextMs - endMs;
        unknown.push({ id, offsetMs });
        nextMs = openedAtMs + offsetMs;
      }
      const first = unknown.at(-1);
      if (first === undefined) return;
      const earliestMs = lastRowBefore(first.id)?.receivedAtMs;
      const uncertaintyMs = earliestMs === undefined ? null : Math.max(0, nextMs - earliestMs);
      for (const { id, offsetMs } of unknown) place.run('estimated', offsetMs, uncertaintyMs, id);
    },
  };
}

interface LastRow {
  readonly boot: number;
  readonly receivedAtMs: number;
}

/** The last row of the spans before one, at its corrected time: spans follow each other in the log, so it is found by halving. */
function openLastRow(db: Connection): (span: number) => LastRow | undefined {
  const at = db.prepare<[number], LastRow & { readonly seq: number }>(
    `select r.seq, r.boot, r.received_at_ms + b.offset_ms as receivedAtMs
     from reading r join boot b on b.id = r.boot where r.seq <= ? order by r.seq desc limit 1`,
  );
  const ends = db.prepare<[], { readonly low: number | null; readonly high: number | null }>(
    'select min(seq) as low, max(seq) as high from reading',
  );
  return (span) => {
    const { low, high } = ends.get() ?? {};
    let from = low ?? 1;
    let to = high ?? 0;
    let found: LastRow | undefined;
    while (from <= to) {
      const middle = Math.floor((from + to) / 2);
      const row = at.get(middle);
      if (row === undefined) return found;
      if (row.boot < span) {
        found = row;
        from = middle + 1;
      } else to = row.seq - 1;
    }
    return found;
  };
}
