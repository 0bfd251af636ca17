import type { Clock, Random } from '../domain/clock.js';
import type { Logger, LogLevel } from '../domain/log.js';
import type { BundleState, LinkState } from '../domain/results.js';
import type { SilenceRules } from '../domain/silence.js';
import type { StreamName, StreamPosition } from '../domain/stored.js';
import type { StoreOptions } from '../model-store/store.js';
import type { FromOutward, MainView, ToOutward } from './messages.js';
import { createThread, type Thread } from './thread.js';

export interface CentreSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Read anew at each connection: a renewed password needs no restart. */
  readonly secret: { readonly password: string | undefined; readonly password_file: string | undefined };
  readonly tls: { readonly mode: 'off' | 'verify'; readonly caFile: string | undefined };
  readonly batchRows: number;
  readonly pushIntervalMs: number;
  readonly pullIntervalMs: number;
}

/** What the outward thread is started with. */
export interface OutwardData {
  readonly gateway: string;
  readonly bufferPath: string;
  readonly silence: SilenceRules;
  readonly http: { readonly host: string; readonly port: number };
  readonly models: Omit<StoreOptions, 'log'>;
  /** Null when this gateway replicates to nowhere. */
  readonly centre: CentreSettings | null;
  readonly logLevel: LogLevel;
  readonly terminal: boolean;
}

interface Handlers {
  onListening(address: string): void;
  onSettled(stream: StreamName, position: StreamPosition): void;
  onBundleArrived(): void;
  onBundle(bundle: BundleState): void;
  onLink(link: LinkState): void;
  onRestart(): void;
  view(): Promise<MainView>;
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The thread that faces outward: the page and the metrics, push and pull. */
export function createOutward(data: OutwardData, handlers: Handlers, surroundings: Surroundings): Thread<ToOutward> {
  return createThread<ToOutward, FromOutward>(
    {
      name: 'outward',
      entry: new URL('./outward-worker.js', import.meta.url),
      data,
      onRestart: handlers.onRestart,
      receiver: {
        onMessage(message) {
          switch (message.kind) {
            case 'listening':
              return handlers.onListening(message.address);
            case 'settled':
              return handlers.onSettled(message.stream, message.position);
            case 'bundle-arrived':
              return handlers.onBundleArrived();
            case 'bundle':
              return handlers.onBundle(message.bundle);
            case 'link':
              return handlers.onLink(message.link);
          }
        },
        onAsk: () => handlers.view(),
      },
    },
    surroundings,
  );
}
