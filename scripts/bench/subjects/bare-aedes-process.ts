import { type AddressInfo, createServer } from 'node:net';
import { Aedes } from 'aedes';

/** The embedded broker's library alone: it acknowledges, and neither looks at nor stores anything. */
const aedes = await Aedes.createBroker();
const server = createServer(aedes.handle);
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
