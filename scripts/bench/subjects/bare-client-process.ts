import { connect } from 'mqtt';

/** The library of the gateway's client alone: it acknowledges, and neither looks at nor stores anything. */
const client = connect(String(process.argv[2]), { clientId: 'bare-client', clean: true });
let received = 0;
client.on('message', () => {
  received += 1;
});
await client.subscribeAsync('meters/+/reading', { qos: 1 });
process.send?.('subscribed');
process.on('message', () => process.send?.(received));
process.on('disconnect', () => process.exit());
