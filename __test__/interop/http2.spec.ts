// node:http2 over ferronet's sockets: with and without TLS, at either end.
import { once } from 'node:events';
import http2, { type ClientHttp2Session, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import tls from 'node:tls';

import { both, closed, listening, numbered, type Place } from '../_helpers/both.js';
import { cert, key } from '../_helpers/certificate.js';

type OnStream = (stream: ServerHttp2Stream, path: string) => void;

const echo: OnStream = (stream) => void stream.pipe(stream);

/** An http2 server in the clear on connections that a server of `place` has accepted. */
async function serve(place: Place, onStream: OnStream): Promise<{ port: number; server: http2.Http2Server }> {
  const server = http2.createServer();
  server.on('stream', (stream, headers) => onStream(stream, String(headers[':path'])));
  const { port } = await place.listen((socket) => server.emit('connection', socket));
  return { port, server };
}

function connect(place: Place, port: number): ClientHttp2Session {
  const session = http2.connect('http://127.0.0.1', { createConnection: () => place.connect(port) });
  place.atEnd(() => session.destroy());
  return session;
}

async function roundTrip(session: ClientHttp2Session, body: Buffer): Promise<Buffer> {
  const stream = session.request({ ':method': 'POST', ':path': '/' });
  stream.end(body);
  return buffer(stream);
}

both('streams side by side on one connection', async (t, place) => {
  const { port } = await serve(place, (stream, path) => stream.end(path));
  const session = connect(place, port);
  const paths = Array.from({ length: 60 }, (_, i) => `/${i}`);
  t.deepEqual(await Promise.all(paths.map((path) => text(session.request({ ':path': path })))), paths);
});

both('megabytes there and back', async (t, place) => {
  const { port } = await serve(place, echo);
  const session = connect(place, port);
  const bytes = numbered(3 << 20);
  const received = await Promise.all([roundTrip(session, bytes), roundTrip(session, bytes)]);
  for (const each of received) t.true(bytes.equals(each));
});

both('a client with a server of http2 itself', async (t, place) => {
  const server = http2.createServer();
  server.on('stream', echo);
  place.atEnd(() => server.close());
  const session = connect(place, await listening(server));
  t.is(String(await roundTrip(session, Buffer.from('hello'))), 'hello');
  const over = closed(session);
  session.close();
  await over;
});

both('a socket that is connected already', async (t, place) => {
  const { port } = await serve(place, echo);
  const socket = place.connect(port);
  await once(socket, 'connect');
  const session = http2.connect('http://127.0.0.1', { createConnection: () => socket });
  place.atEnd(() => session.destroy());
  t.is(String(await roundTrip(session, Buffer.from('hello'))), 'hello');
});

both('closing a session lets its streams end and then closes the socket', async (t, place) => {
  const { port } = await serve(place, echo);
  const session = connect(place, port);
  await once(session, 'connect');
  const over = closed(session);
  const stream = session.request({ ':method': 'POST', ':path': '/' });
  stream.write('the ');
  await once(stream, 'response');
  session.close();
  stream.end('last');
  t.is(await text(stream), 'the last');
  await over;
  t.true(session.destroyed);
});

both('a server that goes away', async (t, place) => {
  const sessions: ServerHttp2Session[] = [];
  const { port, server } = await serve(place, (stream) => {
    stream.on('error', () => {});
    for (const each of sessions) each.destroy();
  });
  server.on('session', (session) => sessions.push(session));
  const session = connect(place, port);
  session.on('error', () => {});
  const stream = session.request({ ':path': '/' });
  stream.on('error', () => {}).resume();
  await Promise.all([closed(stream), closed(session)]);
  t.true(session.destroyed);
});

both('a ping, and settings', async (t, place) => {
  const { port } = await serve(place, echo);
  const session = connect(place, port);
  await once(session, 'remoteSettings');
  const payload = await new Promise((resolve, reject) => {
    session.ping(Buffer.from('12345678'), (error, _duration, answer) => (error ? reject(error) : resolve(answer)));
  });
  t.is(String(payload), '12345678');
});

both('the timeout of a session', async (t, place) => {
  const { port } = await serve(place, echo);
  const session = connect(place, port);
  session.setTimeout(20);
  await once(session, 'timeout');
  t.false(session.destroyed);
});

both('over TLS, both ends on sockets of the tried net', async (t, place) => {
  const server = http2.createSecureServer({ key, cert });
  server.on('stream', echo);
  const { port } = await place.listen((socket) => server.emit('connection', socket));
  const createConnection = (): Socket =>
    tls.connect({ socket: place.connect(port), ca: cert, servername: 'localhost', ALPNProtocols: ['h2'] });
  const session = http2.connect('https://localhost', { createConnection });
  place.atEnd(() => session.destroy());
  const bytes = numbered(1 << 20);
  t.true(bytes.equals(await roundTrip(session, bytes)));
  t.is(session.alpnProtocol, 'h2');
});
