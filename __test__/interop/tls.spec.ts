// TLS over ferronet's sockets: node:tls accepts them as any stream, at either end.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import tls, { type ConnectionOptions, type TLSSocket, type TLSSocketOptions } from 'node:tls';

import { both, closed, numbered, type Place } from '../_helpers/both.js';
import { cert, key } from '../_helpers/certificate.js';

interface Ends {
  client: TLSSocket;
  server: TLSSocket;
  /** The sockets below. */
  below: [client: Socket, server: Socket];
}

function wrap(socket: Socket, options: TLSSocketOptions = {}): TLSSocket {
  return new tls.TLSSocket(socket, { isServer: true, key, cert, ...options });
}

/** Both ends in TLS, after the handshake. */
async function secured(place: Place, client: ConnectionOptions = {}, server: TLSSocketOptions = {}): Promise<Ends> {
  const below = await place.pair();
  const ends = {
    server: wrap(below[1], server),
    client: tls.connect({ socket: below[0], ca: cert, servername: 'localhost', ...client }),
    below,
  };
  await Promise.all([once(ends.client, 'secureConnect'), once(ends.server, 'secure')]);
  return ends;
}

both('both ends talk', async (t, place) => {
  const { client, server } = await secured(place);
  t.true(client.authorized);
  t.regex(String(client.getProtocol()), /^TLSv1\.[23]$/);
  t.is(client.getPeerCertificate().subject.CN, 'localhost');
  client.write('from the client');
  t.is(String((await once(server, 'data'))[0]), 'from the client');
  server.write('from the server');
  t.is(String((await once(client, 'data'))[0]), 'from the server');
});

both('the protocol and the name that were asked for are known to both sides', async (t, place) => {
  let asked: string | undefined;
  const { client, server } = await secured(
    place,
    { servername: 'name.test', ALPNProtocols: ['unknown', 'talk/2'] },
    {
      ALPNProtocols: ['talk/2', 'talk/1'],
      SNICallback: (name, done) => {
        asked = name;
        done(null, tls.createSecureContext({ key, cert }));
      },
    },
  );
  t.is(client.alpnProtocol, 'talk/2');
  t.is(server.alpnProtocol, 'talk/2');
  t.is(asked, 'name.test');
});

/** The next `size` bytes of a stream that stays open. */
function take(stream: TLSSocket, size: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let missing = size;
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      missing -= chunk.length;
      if (missing <= 0) resolve(Buffer.concat(chunks));
    });
  });
}

// Neither end ends before both have received everything: on close_notify, TLS may close with bytes still unread.
both('megabytes go both ways at once', async (t, place) => {
  const { client, server } = await secured(place);
  const bytes = numbered(6 << 20);
  const received = [take(client, bytes.length), take(server, bytes.length)];
  client.write(bytes);
  server.write(bytes);
  for (const each of await Promise.all(received)) t.true(bytes.equals(each));
});

both('many small writes stay in order', async (t, place) => {
  const { client, server } = await secured(place);
  const lines = Array.from({ length: 5_000 }, (_, i) => `line ${i}\n`);
  for (const line of lines) client.write(line);
  client.end();
  t.is(String(await buffer(server)), lines.join(''));
});

both('a client that ends first is answered and everything closes', async (t, place) => {
  const { client, server, below } = await secured(place);
  server.on('end', () => server.end('goodbye'));
  const over = Promise.all([client, server, ...below].map(closed));
  client.end('hello');
  const [heard, answered] = await Promise.all([buffer(server), buffer(client)]);
  t.deepEqual([String(heard), String(answered)], ['hello', 'goodbye']);
  await over;
});

both('a server that ends first closes everything', async (t, place) => {
  const { client, server, below } = await secured(place);
  const over = Promise.all([client, server, ...below].map(closed));
  server.end('that was all');
  t.is(String(await buffer(client)), 'that was all');
  server.resume();
  await over;
  t.true(below.every(({ destroyed }) => destroyed));
});

both('destroying the stream above destroys the socket below', async (t, place) => {
  const { client, server, below } = await secured(place);
  // What the other end receives depends on what was in flight.
  server.on('error', () => {}).resume();
  const over = Promise.all([client, server, ...below].map(closed));
  client.destroy();
  await over;
  t.pass();
});

both('destroying the socket below ends the stream above', async (t, place) => {
  const { client, server, below } = await secured(place);
  for (const each of [client, server]) each.on('error', () => {}).resume();
  const over = Promise.all([client, server].map(closed));
  below[1].destroy();
  await over;
  t.pass();
});

both('a certificate that is not trusted is an error', async (t, place) => {
  const [plain, accepted] = await place.pair();
  wrap(accepted).on('error', () => {});
  const client = tls.connect({ socket: plain, servername: 'localhost' });
  const over = closed(plain);
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  await over;
});

both('a certificate for another name is an error', async (t, place) => {
  const [plain, accepted] = await place.pair();
  wrap(accepted).on('error', () => {});
  const client = tls.connect({ socket: plain, ca: cert, servername: 'elsewhere.example' });
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
});

both('a peer that does not speak TLS is an error', async (t, place) => {
  const [plain, accepted] = await place.pair();
  const server = wrap(accepted);
  plain.on('error', () => {});
  plain.end('GET / HTTP/1.1\r\n\r\n');
  const [error] = (await once(server, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ERR_SSL_HTTP_REQUEST');
});

both('a peer that leaves during the handshake is an error', async (t, place) => {
  const [plain, accepted] = await place.pair();
  const client = tls.connect({ socket: plain, ca: cert, servername: 'localhost' });
  accepted.end();
  accepted.resume();
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNRESET');
  t.is(error.message, 'Client network socket disconnected before secure TLS connection was established');
});

both('a socket that is still connecting is enough', async (t, place) => {
  const { port } = await place.listen((accepted) => wrap(accepted).end('you waited'));
  const client = tls.connect({ socket: place.connect(port), ca: cert, servername: 'localhost' });
  t.is(String(await buffer(client)), 'you waited');
  t.true(client.authorized);
});

both('the addresses of the connection', async (t, place) => {
  const { client, server, below } = await secured(place);
  t.is(below[0].remoteAddress, '127.0.0.1');
  // Node reads them off its own handles only; above any other stream there are none.
  const seen = place.isOurs ? undefined : '127.0.0.1';
  t.is(client.remoteAddress, seen);
  t.is(server.remoteAddress, seen);
});

both('an error of the socket below is emitted by the TLS socket', async (t, place) => {
  const { client, server, below } = await secured(place);
  server.on('error', () => {});
  below[1].on('error', () => {});
  const seen: string[] = [];
  client.on('error', ({ message }) => seen.push(`above: ${message}`));
  below[0].on('error', ({ message }) => seen.push(`below: ${message}`));
  const over = Promise.all([closed(client), closed(below[0])]);
  below[1].resetAndDestroy();
  await over;
  // Node detaches its own handle from the socket below, which emits nothing then. To any other stream it adds listeners.
  t.deepEqual(seen.sort(), ['above: read ECONNRESET', ...(place.isOurs ? ['below: read ECONNRESET'] : [])]);
});
