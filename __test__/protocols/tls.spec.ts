// TLS over connections of ferronet: Node's own handles below, so nothing is missing that they show.
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import tls, { type TLSSocket } from 'node:tls';

import { closed, numbered } from '../_helpers/both.js';
import { cert, key } from '../_helpers/certificate.js';
import { bothProtocols, type Protocols } from '../_helpers/protocols.js';

async function secured(
  place: Protocols,
  client: tls.ConnectionOptions = {},
  server: tls.TlsOptions = {},
): Promise<[client: TLSSocket, server: TLSSocket]> {
  const behind = tls.createServer({ key, cert, ...server });
  const { port } = await place.listen(behind);
  const accepted = once(behind, 'secureConnection') as Promise<[TLSSocket]>;
  const connected = place.secure({ port, ...client });
  await once(connected, 'secureConnect');
  return [connected, (await accepted)[0]];
}

bothProtocols('addresses, on both sides', async (t, place) => {
  const [client, server] = await secured(place);
  t.is(client.remoteAddress, '127.0.0.1');
  t.is(client.remoteFamily, 'IPv4');
  t.is(client.localPort, server.remotePort);
  t.is(server.localPort, client.remotePort);
  t.deepEqual(client.address(), { address: '127.0.0.1', family: 'IPv4', port: server.remotePort });
  t.deepEqual([client.connecting, server.connecting], [false, false]);
});

bothProtocols('much of it, in both directions', async (t, place) => {
  const [client, server] = await secured(place);
  const bytes = numbered(3 << 20);
  server.pipe(server);
  client.end(bytes);
  t.true(bytes.equals(await buffer(client)));
  t.true(server.bytesRead >= bytes.length);
  t.true(client.bytesWritten >= bytes.length);
});

bothProtocols('what is written before the connection is made', async (t, place) => {
  const behind = tls.createServer({ key, cert }, (socket) => socket.pipe(socket));
  const { port } = await place.listen(behind);
  const client = place.secure({ port });
  t.true(client.connecting);
  client.write('early ');
  client.end('and ended');
  t.is(await text(client), 'early and ended');
});

bothProtocols('ALPN and SNI', async (t, place) => {
  let asked: string | undefined;
  const [client, server] = await secured(
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
  t.deepEqual([client.alpnProtocol, server.alpnProtocol, asked], ['talk/2', 'talk/2', 'name.test']);
  t.is((server as unknown as { servername: string }).servername, 'name.test');
});

bothProtocols('a certificate of the client', async (t, place) => {
  const server = { requestCert: true, rejectUnauthorized: true, ca: cert };
  const [, accepted] = await secured(place, { key, cert }, server);
  t.true(accepted.authorized);
  t.is(accepted.getPeerCertificate().subject.CN, 'localhost');
});

bothProtocols('a server that is not trusted', async (t, place) => {
  const behind = tls.createServer({ key, cert });
  const { port } = await place.listen(behind);
  const client = place.secure({ port, ca: [] });
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  await closed(client);
});

bothProtocols('a session is resumed', async (t, place) => {
  const behind = tls.createServer({ key, cert, maxVersion: 'TLSv1.2' }, (socket) => socket.end('hello'));
  const { port } = await place.listen(behind);
  const reused: boolean[] = [];
  const first = place.secure({ port });
  first.on('secureConnect', () => reused.push(first.isSessionReused()));
  const session = once(first, 'session') as Promise<[Buffer]>;
  await text(first);
  const second = place.secure({ port, session: (await session)[0] });
  second.on('secureConnect', () => reused.push(second.isSessionReused()));
  await text(second);
  t.deepEqual(reused, [false, true]);
});

bothProtocols('half-open connections', async (t, place) => {
  const behind = tls.createServer({ key, cert, allowHalfOpen: true }, (socket) => {
    socket.resume().on('end', () => setImmediate(() => socket.end('after the end')));
  });
  const { port } = await place.listen(behind);
  const client = place.secure({ port, allowHalfOpen: true } as tls.ConnectionOptions);
  t.true(client.allowHalfOpen);
  client.end('before');
  t.is(await text(client), 'after the end');
});

bothProtocols('pauseOnConnect', async (t, place) => {
  const behind = tls.createServer({ key, cert, pauseOnConnect: true });
  const { port } = await place.listen(behind);
  place.secure({ port }).end('waits');
  const [socket] = (await once(behind, 'secureConnection')) as [TLSSocket];
  t.true(socket.isPaused());
  socket.resume();
  t.is(await text(socket), 'waits');
});

bothProtocols('a peer that goes during the handshake', async (t, place) => {
  const behind = tls.createServer({ key, cert });
  const { server, port } = await place.listen(behind);
  server.prependListener('connection', (socket) => socket.destroy());
  const client = place.secure({ port });
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNRESET');
});

bothProtocols('a client that does not speak TLS', async (t, place) => {
  const behind = tls.createServer({ key, cert });
  const { port } = await place.listen(behind);
  const failed = once(behind, 'tlsClientError') as Promise<[NodeJS.ErrnoException, TLSSocket]>;
  const request = place.request({ port }).on('error', () => {});
  request.end();
  const [error, socket] = await failed;
  t.regex(String(error.code), /^ERR_SSL_/);
  t.true(socket.destroyed);
});

bothProtocols('a time limit of the handshake', async (t, place) => {
  const behind = tls.createServer({ key, cert, handshakeTimeout: 30 });
  const { server, port } = await place.listen(behind);
  const failed = once(behind, 'tlsClientError') as Promise<[NodeJS.ErrnoException]>;
  const accepted = once(server, 'connection');
  place.request({ port }).on('error', () => {});
  await accepted;
  t.is((await failed)[0].code, 'ERR_TLS_HANDSHAKE_TIMEOUT');
});

bothProtocols('an idle timeout', async (t, place) => {
  const { port } = await place.listen(tls.createServer({ key, cert }));
  const client = place.secure({ port, timeout: 30 });
  t.is(client.timeout, 30);
  await once(client, 'timeout');
  t.false(client.destroyed);
});

bothProtocols('key material, renegotiation and tickets of the socket', async (t, place) => {
  const [client, server] = await secured(place, { maxVersion: 'TLSv1.2' });
  const material = (socket: TLSSocket): string =>
    socket.exportKeyingMaterial(32, 'label', Buffer.alloc(0)).toString('hex');
  t.is(material(client), material(server));
  t.regex(String(client.getCipher().name), /./);
  t.is(client.getProtocol(), 'TLSv1.2');
});

bothProtocols('connections are counted, and close waits for them', async (t, place) => {
  const behind = tls.createServer({ key, cert }, (socket) => socket.resume());
  const { server, port } = await place.listen(behind);
  const clients = [place.secure({ port }), place.secure({ port })];
  await Promise.all(clients.map((client) => once(client, 'secureConnect')));
  const count = (): Promise<number> => new Promise((done) => server.getConnections((_error, found) => done(found)));
  t.is(await count(), 2);
  let isClosed = false;
  server.close(() => (isClosed = true));
  const over = closed(server);
  clients[0]?.end();
  await closed(clients[0] as TLSSocket);
  t.false(isClosed);
  clients[1]?.end();
  await over;
  t.true(isClosed);
  t.is(await count(), 0);
});
