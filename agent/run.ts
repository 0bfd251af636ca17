import type { Settings } from '../config/schema.js';
import { messageOf } from './domain/errors.js';
import { createLogger } from './domain/log.js';
import { createMachineTime } from './domain/machine-time.js';
import { collectAfterStart } from './domain/start-garbage.js';
import { createGateway } from './gateway.js';

/** What a program that started this one with a channel is told. */
export interface ReadyMessage {
  readonly kind: 'ready';
  readonly mqtt: string;
  readonly http: string;
}

/** Runs the gateway until it is told to stop; resolves to the exit code of the process. */
export async function runGateway(settings: Settings): Promise<number> {
  const terminal = process.stdout.isTTY === true;
  const log = createLogger(settings.log.level, terminal);
  const gateway = createGateway(settings, { machine: createMachineTime(), random: Math.random, log, terminal });
  const asked = stopRequests();
  process.on('uncaughtException', (error) => {
    // Nothing that is acknowledged depends on what follows: it is on disk. Going on in an unknown state would be worse.
    log.error({ stack: error.stack }, `ends on an unexpected failure: ${messageOf(error)}`);
    process.exit(70);
  });

  const stopped = asked.first.then(() => gateway.stop());
  void asked.second.then(() => gateway.hurry());
  try {
    if ((await gateway.start()) === 'started') {
      const { mqtt, http } = gateway.addresses();
      log.info({ gateway: settings.gateway.name, mqtt, http }, 'ready');
      collectAfterStart();
      process.send?.({ kind: 'ready', mqtt, http } satisfies ReadyMessage);
    }
    const { stragglers, failures } = await stopped;
    log.info({}, 'stopped');
    return stragglers.length + failures.length === 0 ? 0 : 1;
  } finally {
    // A channel to a parent, once listened to, would keep the process alive.
    asked.forget();
  }
}

/** The first signal asks to stop, the second to hurry. A parent that is gone counts as a signal. */
function stopRequests() {
  const calls: (() => void)[] = [];
  const next = () => new Promise<void>((resolve) => calls.push(resolve));
  const [first, second] = [next(), next()];
  const ask = (): void => calls.shift()?.();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, ask);
  process.on('disconnect', ask);
  return {
    first,
    second,
    forget() {
      for (const signal of signals) process.off(signal, ask);
      process.off('disconnect', ask);
      if (process.connected) process.disconnect();
    },
  };
}
