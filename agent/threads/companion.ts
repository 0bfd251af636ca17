import type { LogId } from '../domain/brand.js';
import type { Clock, Random } from '../domain/clock.js';
import type { Told } from '../domain/gateway-clock.js';
import type { Logger, LogLevel } from '../domain/log.js';
import type { AnalysisResult, BundleState, LinkState } from '../domain/results.js';
import type { SilenceRules } from '../domain/silence.js';
import type { Settled, StreamName } from '../domain/stored.js';
import type { JudgementSettings } from '../fraud/scoring.js';
import type { StoreOptions } from '../model-store/store.js';
import type { FromCompanion, MainView, ToCompanion } from './messages.js';
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

/** What the companion is started with. */
export interface CompanionData {
  readonly gateway: string;
  readonly bufferPath: string;
  readonly silence: SilenceRules;
  readonly http: { readonly host: string; readonly port: number };
  readonly models: Omit<StoreOptions, 'log'>;
  /** Null when this gateway neither forecasts nor scores. */
  readonly judgement: JudgementSettings | null;
  /** Null when this gateway replicates to nowhere. */
  readonly centre: CentreSettings | null;
  readonly logLevel: LogLevel;
  readonly terminal: boolean;
  /** 1 while the WAL must stay as it is; see mending.ts. */
  readonly checkpointsHeld: SharedArrayBuffer;
}

interface Handlers {
  onResult(result: AnalysisResult, logId: LogId): void;
  onListening(address: string): void;
  onSettled(stream: StreamName, settled: Settled): void;
  onCheckpoint(writtenBytes: number): void;
  onTold(told: Told): void;
  onBundle(bundle: BundleState): void;
  onLink(link: LinkState): void;
  onRestart(cause: unknown): void;
  onDamage(cause: string, logId: string): void;
  mend(cause: unknown): boolean;
  view(): Promise<MainView>;
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The thread that does whatever a reading must not wait for. */
export function createCompanion(
  data: CompanionData,
  handlers: Handlers,
  surroundings: Surroundings,
): Thread<ToCompanion> {
  return createThread<ToCompanion, FromCompanion>(
    {
      name: 'companion',
      entry: new URL('./companion-worker.js', import.meta.url),
      data,
      onRestart: handlers.onRestart,
      mend: handlers.mend,
      receiver: {
        onMessage(message) {
          switch (message.kind) {
            case 'result':
              return handlers.onResult(message.result, message.logId);
            case 'listening':
              return handlers.onListening(message.address);
            case 'settled':
              return handlers.onSettled(message.stream, message.settled);
            case 'checkpointed':
              return handlers.onCheckpoint(message.bytes);
            case 'told':
              return handlers.onTold(message.told);
            case 'bundle':
              return handlers.onBundle(message.bundle);
            case 'damage':
              return handlers.onDamage(message.cause, message.logId);
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
