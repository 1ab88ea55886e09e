// ferronet's sockets and servers against those that node:tls makes itself.
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import tls from 'node:tls';

import { both, listening, numbered } from '../_helpers/both.js';
import { cert, key } from '../_helpers/certificate.js';

both('a socket under a TLS client, a tls.Server at the other end', async (t, place) => {
  const bytes = numbered(3 << 20);
  const server = tls.createServer({ key, cert }, (socket) => socket.pipe(socket));
  place.atEnd(() => server.close());
  const port = await listening(server);
  const client = tls.connect({ socket: place.connect(port), ca: cert, servername: 'localhost' });
  client.end(bytes);
  t.true(bytes.equals(await buffer(client)));
});

both('a server hands its sockets to a tls.Server that does not listen', async (t, place) => {
  const secure = tls.createServer({ key, cert, ALPNProtocols: ['talk/1'] }, (socket) => {
    socket.end(String(socket.alpnProtocol));
  });
  const { port } = await place.listen((socket) => secure.emit('connection', socket));
  const client = tls.connect({ port, host: '127.0.0.1', ca: cert, ALPNProtocols: ['talk/1'] });
  t.is(String(await buffer(client)), 'talk/1');
});

both('tls.Server emits tlsClientError for a client that does not speak TLS', async (t, place) => {
  const secure = tls.createServer({ key, cert });
  const { port } = await place.listen((socket) => secure.emit('connection', socket));
  const client = place.connect(port);
  client.on('error', () => {});
  client.end('this is not a handshake');
  const [error] = (await once(secure, 'tlsClientError')) as [NodeJS.ErrnoException];
  t.regex(String(error.code), /^ERR_SSL_/);
});
