import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Clock } from '../domain/clock.js';
import { codeOf } from '../domain/errors.js';
import type { Trust } from '../domain/trust.js';
import type { Connection } from './buffer-file.js';
import { prepareSpans } from './clock-spans.js';
import type { Moment } from './reading-log.js';
import type { Transactions } from './transactions.js';

/** The span of the gateway's time that is going on: rows name it and count from its beginning. */
export interface Boot {
  readonly isTrusted: boolean;
  /** This and the following only inside a transaction. */
  write(): void;
  /** Of a row that arrived at this time of the gateway. */
  moment(receivedAtMs: number): Moment;
  /** The time becomes known, doubtful, or moves: `byMs` is how far, for what this span holds. */
  turn(change: { readonly trust: Trust; readonly byMs: number }): void;
  /** A boot without it ended uncleanly. */
  ended(): void;
}

export interface BootOptions {
  readonly clock: Clock;
  /** What the time rests on; asked after `beginClock`. */
  trust(): Trust;
  /** Before the first look at the clock: what the kernel's counter must be added to, if that was known since it started. */
  beginClock(baseMs: number | undefined): void;
  readonly kernelBootId?: string;
}

interface Span {
  readonly openedAtMs: number;
  readonly countMs: number;
  readonly trust: string;
  readonly isTrusted: boolean;
  id: number | undefined;
}

interface Before {
  readonly span: Span;
  readonly movedByMs: number;
  readonly offsetMs: number;
}

/** Its row is written with the first rows that name it: a full disk must not keep the buffer from opening. */
export function startBoot(
  db: Connection,
  { clock, beginClock, ...given }: BootOptions,
  transactions: Transactions,
): Boot {
  const kernelBoot = given.kernelBootId ?? readKernelBootId();
  const spans = prepareSpans(db);
  beginClock(spans.knownBaseMs(kernelBoot, clock.monotonicMs()));
  let span = begin(given.trust());
  let before: Before | undefined;
  let saved = { span, id: span.id, before };
  transactions.onBegin(() => {
    saved = { span, id: span.id, before };
  });
  transactions.onRollback(() => {
    ({ span, before } = saved);
    span.id = saved.id;
  });

  function begin(trust: Trust, openedAtMs: number = clock.now()): Span {
    return {
      openedAtMs: Math.floor(openedAtMs),
      countMs: Math.floor(clock.monotonicMs()),
      trust: trust.state === 'trusted' ? trust.by : 'untrusted',
      isTrusted: trust.state === 'trusted',
      id: undefined,
    };
  }

  function idOf(of: Span): number {
    of.id ??= spans.insert(kernelBoot, of);
    return of.id;
  }

  /** What was on its way when the time moved was stamped before, and belongs there. */
  function isFromBefore({ movedByMs }: Before, receivedAtMs: number): boolean {
    const nowMs = clock.now();
    return Math.abs(nowMs - movedByMs - receivedAtMs) < Math.abs(nowMs - receivedAtMs);
  }

  return {
    get isTrusted() {
      return span.isTrusted;
    },
    write: () => void idOf(span),
    moment(receivedAtMs) {
      const isYoung = clock.monotonicMs() - span.countMs < STILL_ON_ITS_WAY_MS;
      if (before !== undefined && isYoung && isFromBefore(before, receivedAtMs)) {
        return { boot: idOf(before.span), offsetMs: before.offsetMs, isHeld: false };
      }
      return { boot: idOf(span), offsetMs: 0, isHeld: !span.isTrusted };
    },
    turn({ trust, byMs }) {
      const isTrusted = trust.state === 'trusted';
      if (!isTrusted && !span.isTrusted) return;
      const nowMs = clock.now();
      const isFound = isTrusted && !span.isTrusted;
      const next = begin(trust, nowMs + byMs);
      if (isFound) {
        spans.place(idOf(span), { trust: next.trust, offsetMs: Math.round(byMs), uncertaintyMs: null });
        spans.placeEarlier(span.openedAtMs + Math.round(byMs));
      }
      if (span.id !== undefined) spans.close(span.id, nowMs);
      idOf(next);
      before = { span, movedByMs: byMs, offsetMs: isFound ? Math.round(byMs) : 0 };
      span = next;
    },
    ended: () => {
      if (span.id !== undefined) spans.close(span.id, clock.now());
    },
  };
}

/** A batch that waits for a slow disk is not older than that. */
const STILL_ON_ITS_WAY_MS = 60_000;

function readKernelBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch (error) {
    // Systems other than Linux have none; without it every opening counts as a boot of its own.
    if (codeOf(error) === 'ENOENT') return randomUUID();
    throw error;
  }
}
