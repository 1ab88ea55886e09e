// WebSockets by the package ws: an upgraded ferronet connection at the server, and a ferronet socket under the client.
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import WebSocket, { WebSocketServer } from 'ws';

import { both, closed, listening, numbered, type Place } from '../_helpers/both.js';

const echo = (socket: WebSocket): void => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
};

/** A WebSocket server behind a server of `place`. */
async function serve(place: Place, onSocket: (socket: WebSocket) => void): Promise<number> {
  const sockets = new WebSocketServer({ noServer: true });
  const server = http.createServer();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.handleUpgrade(request, socket, head, onSocket);
  });
  const { port } = await place.listen((socket) => server.emit('connection', socket));
  return port;
}

async function open(place: Place, port: number, options: WebSocket.ClientOptions = {}): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { createConnection: () => place.connect(port), ...options });
  place.atEnd(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

both('messages of all sizes come back in order', async (t, place) => {
  const socket = await open(place, await serve(place, echo));
  const sizes = [0, 1, 125, 126, 65_535, 65_536, 1 << 20, 3];
  const received: Buffer[] = [];
  const all = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => received.push(data) === sizes.length && resolve());
  });
  for (const size of sizes) socket.send(numbered(size));
  await all;
  t.true(received.every((data, i) => data.equals(numbered(sizes[i] ?? 0))));
});

both('with compression', async (t, place) => {
  const socket = await open(place, await serve(place, echo), { perMessageDeflate: true });
  const answered = once(socket, 'message');
  socket.send('abc'.repeat(50_000));
  t.is(String((await answered)[0]), 'abc'.repeat(50_000));
});

both('ping, and a close with its reason', async (t, place) => {
  const socket = await open(
    place,
    await serve(place, (accepted) => accepted.on('ping', () => accepted.close(4_001, 'enough'))),
  );
  const over = once(socket, 'close');
  socket.ping();
  const [code, reason] = (await over) as [number, Buffer];
  t.deepEqual([code, String(reason)], [4_001, 'enough']);
});

both('a peer that is cut off', async (t, place) => {
  const socket = await open(
    place,
    await serve(place, (accepted) => accepted.on('message', () => accepted.terminate())),
  );
  const over = once(socket, 'close');
  socket.send('go');
  t.is((await over)[0], 1_006);
});

both('a client with a server of ws itself', async (t, place) => {
  const server = http.createServer();
  const sockets = new WebSocketServer({ server }).on('connection', echo);
  place.atEnd(() => server.close());
  place.atEnd(() => sockets.close());
  const socket = await open(place, await listening(server));
  const answered = once(socket, 'message');
  socket.send('hello');
  t.is(String((await answered)[0]), 'hello');
  const over = closed(socket);
  socket.close();
  await over;
});
