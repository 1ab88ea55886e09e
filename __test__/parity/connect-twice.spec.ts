// connect() on a socket that is connecting already, but with a local address this time: its handle cannot be bound again.
import { parity } from '../_helpers/parity.js';

parity('connect with a local address while connecting', async (stage) => {
  const server = await stage.listening();
  stage.log.forget('S', 'A');
  const port = stage.portOf(server);
  const client = stage.connect(server);
  await stage.until(client, 'connectionAttempt');
  const options = { port, host: '127.0.0.1', localAddress: '127.0.0.1' };
  stage.call('C', 'connect() again', () => client.connect(options), 'micro', 'tick');
  await stage.closed(client);
});
