import { epochMs } from '../domain/brand.js';
import type { Clock } from '../domain/clock.js';
import type { DiskFigures, DiskState } from '../domain/disk.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import type { BundleState, LinkState } from '../domain/results.js';
import type { ClockState, MainView } from './messages.js';

interface Sources {
  clock(): ClockState;
  disk(): DiskState & DiskFigures;
  connections(): number;
  /** Before the metrics are read: what is cheaper to look up than to keep. */
  report(): void;
}

interface Surroundings {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface MainViewKeeper {
  /** Where the page is; empty until it listens. */
  readonly http: string;
  listening(address: string): void;
  linked(link: LinkState): void;
  /** A model serves from now on, or was refused. */
  judged(bundle: BundleState): void;
  /** The time has moved, and with it when the gateway was started. */
  moved(byMs: number): void;
  look(): Promise<MainView>;
}

const NO_LINK: LinkState = { state: 'off', detail: '', lastSuccessMs: null };

/** What only the main thread knows, for the page and for `wattwarden status`. */
export function createMainView(sources: Sources, { clock, log, metrics }: Surroundings): MainViewKeeper {
  let startedAtMs = clock.now();
  let link = NO_LINK;
  let bundle: BundleState | null = null;
  let http = '';

  return {
    get http() {
      return http;
    },
    listening(address) {
      http = address;
    },
    linked(now) {
      link = now;
    },
    judged(one) {
      if (one.state === 'active') {
        bundle = one;
        log.info(one, 'model serves');
      } else log.error(one, bundle === null ? 'model refused' : 'model refused; the one before serves on');
    },
    moved(byMs) {
      startedAtMs = epochMs(startedAtMs + Math.round(byMs));
    },
    async look() {
      sources.report();
      return {
        startedAtMs,
        link,
        bundle,
        clock: sources.clock(),
        disk: sources.disk(),
        connections: sources.connections(),
        metrics: await metrics.toJson(),
      };
    },
  };
}
