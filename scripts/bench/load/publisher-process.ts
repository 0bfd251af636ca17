import type { Answer, Order } from './orders.js';
import { publish } from './publishing.js';

/** A process of its own: what it costs to publish must not be counted as what it costs to take in. */
const say = (answer: Answer): void => void process.send?.(answer);

process.on('message', (order: Order) => {
  publish(order).then(
    (outcome) => say({ outcome }),
    (error: unknown) => say({ failure: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
