import type { Clock } from '../../agent/domain/clock.js';
import type { FaultPlan } from './faults.js';
import { createFleet, type FleetOptions, type SimulatedMeter } from './fleet.js';
import { type FormatChoice, formatOf } from './formats/choice.js';
import { historyOf } from './history.js';
import { messagesOf, type SimulatedMessage } from './meter-messages.js';
import { createPace } from './pace.js';
import { type Carrier, type PublisherOptions, publishFleet } from './publisher.js';
import type { Theft } from './thefts.js';
import { createTruth, type TrueFault, type Truth } from './truth.js';

export interface SimulationOptions extends Pick<PublisherOptions, 'url' | 'login' | 'signal' | 'onProgress'> {
  readonly fleet: Omit<FleetOptions, 'fromMs' | 'thefts'>;
  readonly thefts: readonly Theft[];
  readonly format: FormatChoice;
  /** Meters that one client speaks for. */
  readonly metersPerClient: number;
  /** Customers who never send anything, the last ones. */
  readonly missing: number;
  /** Sent at once, a reading per slot, before anything else; the same as `startMs` for none. */
  readonly historyFromMs: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly intervalMs: number;
  readonly speed: number;
  readonly faults: FaultPlan;
  readonly clock: Clock;
  onFault?(fault: TrueFault): void;
}

export interface Simulation {
  readonly meters: readonly SimulatedMeter[];
  /** Of everything that has been acknowledged. */
  readonly truth: Truth;
  /** The simulated moment that it is now. */
  reachedMs(): number;
  run(): Promise<{ readonly messages: number }>;
}

/** A fleet on its way to a broker. The messages follow from the options; clocks and connections only delay them. */
export function createSimulation(options: SimulationOptions): Simulation {
  const { format, historyFromMs, startMs, endMs, intervalMs, faults, clock, speed } = options;
  const { thefts } = options;
  const all = createFleet({ ...options.fleet, fromMs: historyFromMs, thefts });
  const firstMissing = options.fleet.customers - options.missing;
  const meters = all.filter(({ kind, number }) => kind === 'feeder' || number < firstMissing);
  let isOver = false;
  const pace = createPace({ clock, startMs, speed });
  const truth = createTruth({
    meters,
    silent: all.filter((meter) => !meters.includes(meter)),
    thefts,
    fromMs: startMs,
    nameOf: (meter) => formatOf(format, meter).meterName(meter),
    onFault: (fault) => options.onFault?.(fault),
  });

  function* messages(meter: SimulatedMeter): Generator<SimulatedMessage, void> {
    const made = formatOf(format, meter);
    yield* historyOf(meter, made, historyFromMs, startMs);
    yield* messagesOf({ meter, format: made, fromMs: startMs, toMs: endMs, intervalMs, faults });
  }
  return {
    meters,
    truth,
    reachedMs: () => (isOver ? endMs : Math.min(endMs, pace.now())),
    async run() {
      const onSent = truth.sent;
      const done = await publishFleet({ ...options, pace, carriers: carriersOf(), onSent });
      isOver = !options.signal.aborted;
      return done;
    },
  };

  function carriersOf(): readonly Carrier[] {
    const { metersPerClient } = options;
    return Array.from({ length: Math.ceil(meters.length / metersPerClient) }, (_, index) => {
      const members = meters.slice(index * metersPerClient, (index + 1) * metersPerClient);
      const first = members[0];
      return {
        clientId: metersPerClient === 1 && first !== undefined ? `sim-${first.id}` : `sim-gateway-${index + 1}`,
        streams: members.map((meter) => ({ meter, messages: messages(meter) })),
      };
    });
  }
}
