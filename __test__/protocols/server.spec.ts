// Servers of Node's protocols whose connections ferronet accepts: counts, limits, closing, and what is taken over by others.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import net, { type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';

import { WebSocket, WebSocketServer } from 'ws';

import { closed } from '../_helpers/both.js';
import { cert, key } from '../_helpers/certificate.js';
import { bothProtocols, type Protocols } from '../_helpers/protocols.js';

function count(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, found) => resolve(found)));
}

/** A client that is connected, as bytes. */
async function connected(place: Protocols, port: number, first = ''): Promise<Socket> {
  const socket = net.connect(port, '127.0.0.1');
  place.atEnd(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  if (first !== '') socket.write(first);
  return socket;
}

const GET = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';

bothProtocols('what a request handler sees of its connection', async (t, place) => {
  const seen: unknown[] = [];
  const served = http.createServer((request, response) => {
    const { socket } = request;
    seen.push(socket instanceof net.Socket, socket.remoteAddress, socket.localPort, socket.remoteFamily);
    seen.push(socket.readyState, socket.connecting, socket.timeout, socket.allowHalfOpen, typeof socket.bytesRead);
    response.end();
  });
  const { port } = await place.listen(served);
  await text(((await once(place.request({ port }).end(), 'response')) as [IncomingMessage])[0]);
  const expected = [true, '127.0.0.1', port, 'IPv4', 'open', false, undefined, true, 'number'];
  t.deepEqual(seen, expected);
});

bothProtocols('connections are counted until they have closed', async (t, place) => {
  const { server, port } = await place.listen(http.createServer((_request, response) => response.end('well')));
  const clients: Socket[] = [];
  for (let i = 0; i < 3; i++) {
    const accepted = once(server, 'connection');
    clients.push(await connected(place, port, GET));
    await accepted;
  }
  t.is(await count(server), 3);
  const over = new Promise<void>((resolve) =>
    server.once('connection', (socket: Socket) => socket.on('close', resolve)),
  );
  const accepted = once(server, 'connection');
  (await connected(place, port)).destroy();
  await accepted;
  await over;
  t.is(await count(server), 3);
});

bothProtocols('maxConnections drops, and says what it has dropped', async (t, place) => {
  const { server, port } = await place.listen(http.createServer());
  server.maxConnections = 1;
  const accepted = once(server, 'connection');
  const first = await connected(place, port);
  await accepted;
  const dropped = once(server, 'drop') as Promise<[net.DropArgument]>;
  const second = await connected(place, port);
  const [drop] = await dropped;
  t.deepEqual([drop.localPort, drop.remotePort, drop.remoteAddress], [port, second.localPort, '127.0.0.1']);
  const over = new Promise<void>((resolve) => {
    server.getConnections(() => first.end());
    first.resume().on('close', () => resolve());
  });
  await over;
  const again = once(server, 'connection');
  await connected(place, port);
  await again;
  t.is(await count(server), 1);
});

bothProtocols('closeAllConnections and closeIdleConnections', async (t, place) => {
  const served = http.createServer((request, response) => {
    if (request.url !== '/hangs') response.end();
  });
  const { server, port } = await place.listen(served);
  const idle = await connected(place, port, GET);
  await once(idle, 'data');
  const busy = await connected(place, port, GET.replace('/', '/hangs'));
  await once(served, 'request');
  const idleOver = closed(idle);
  served.closeIdleConnections();
  await idleOver;
  t.false(busy.destroyed);
  const over = closed(busy.resume());
  served.closeAllConnections();
  await over;
  server.close();
  await closed(server);
  t.is(await count(server), 0);
});

bothProtocols('close ends idle connections and waits for a request', async (t, place) => {
  let answer: http.ServerResponse | undefined;
  const served = http.createServer((request, response) => {
    if (request.url === '/hangs') answer = response;
    else response.end();
  });
  const { server, port } = await place.listen(served);
  const idle = await connected(place, port, GET);
  await once(idle, 'data');
  const busy = await connected(place, port, GET.replace('/', '/hangs'));
  await once(served, 'request');
  const over = closed(server);
  const log: string[] = [];
  idle.resume().on('close', () => log.push('idle'));
  busy.resume().on('close', () => log.push('busy'));
  server.on('close', () => log.push('server'));
  server.close();
  await closed(idle);
  t.deepEqual(log, ['idle']);
  const busyOver = closed(busy);
  answer?.end('at last');
  busy.end();
  await Promise.all([over, busyOver]);
  t.deepEqual([...log].sort(), ['busy', 'idle', 'server']);
});

bothProtocols('a request in pieces, and several at once', async (t, place) => {
  const served = http.createServer((request, response) => response.end(`<${request.url}>`));
  const { port } = await place.listen(served);
  const client = await connected(place, port);
  for (const piece of ['GET /a HT', 'TP/1.1\r\nHo', 'st: test\r\n\r\n']) {
    client.write(piece);
    await new Promise(setImmediate);
  }
  client.write(`GET /b HTTP/1.1\r\nHost: x\r\n\r\nGET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  const answer = await text(client);
  t.deepEqual(answer.match(/<\/\w>/g), ['</a>', '</b>', '</c>']);
});

bothProtocols('an upgrade gives the connection and what came with the request', async (t, place) => {
  const served = http.createServer();
  served.on('upgrade', (_request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.write(head);
    socket.pipe(socket);
  });
  const { port } = await place.listen(served);
  const client = await connected(
    place,
    port,
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhead ',
  );
  client.end('and more');
  t.regex(await text(client), /\r\n\r\nhead and more$/);
});

bothProtocols('CONNECT', async (t, place) => {
  const served = http.createServer();
  served.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    socket.pipe(socket);
  });
  const { port } = await place.listen(served);
  const request = place.request({ port, method: 'CONNECT', path: 'elsewhere:80' });
  request.end();
  const [, socket] = (await once(request, 'connect')) as [IncomingMessage, Socket];
  socket.end('through');
  t.is(await text(socket), 'through');
});

bothProtocols('WebSockets', async (t, place) => {
  const served = http.createServer();
  new WebSocketServer({ server: served }).on('connection', (socket) => {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  const { port } = await place.listen(served);
  const agent = new place.functions.HttpAgent();
  const client = new WebSocket(`ws://127.0.0.1:${port}`, { agent });
  place.atEnd(() => client.terminate());
  await once(client, 'open');
  for (const size of [1, 70_000, 1 << 20]) {
    const back = once(client, 'message') as Promise<[Buffer]>;
    client.send(Buffer.alloc(size, 'x'));
    t.is((await back)[0].length, size);
  }
});

bothProtocols('a time limit of the headers', async (t, place) => {
  const served = http.createServer({ connectionsCheckingInterval: 20, headersTimeout: 50, requestTimeout: 50 });
  const { port } = await place.listen(served);
  const client = await connected(place, port, 'GET / HTTP/1.1\r\n');
  const [answer] = (await once(client, 'data')) as [Buffer];
  t.regex(String(answer), /^HTTP\/1\.1 408 /);
});

bothProtocols('a time limit between two requests', async (t, place) => {
  const served = http.createServer({ keepAliveTimeout: 30 }, (_request, response) => response.end('well'));
  const { port } = await place.listen(served);
  t.regex(await text(await connected(place, port, GET)), /^HTTP\/1\.1 200 /);
});

bothProtocols('an idle timeout of the server', async (t, place) => {
  const served = http.createServer(() => {});
  served.timeout = 30;
  const { port } = await place.listen(served);
  const timedOut = once(served, 'timeout') as Promise<[Socket]>;
  await connected(place, port, GET);
  const [socket] = await timedOut;
  t.is(socket.timeout, 30);
});

bothProtocols('the store of a request, and of what the server was made in', async (t, place) => {
  const store = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const served = http.createServer((request, response) => {
    seen.push(store.getStore());
    store.run(String(request.url), () => {
      setTimeout(() => {
        seen.push(store.getStore());
        response.on('finish', () => seen.push(store.getStore()));
        response.end();
      }, 1);
    });
  });
  const { port } = await store.run('listen', () => place.listen(served));
  for (const path of ['/1', '/2']) {
    const request = place.request({ port, path });
    await text(((await once(request.end(), 'response')) as [IncomingMessage])[0]);
  }
  t.deepEqual(seen, await expectedStores());
});

/** As node:http has them, which differs from one Node to the next. */
async function expectedStores(): Promise<(string | undefined)[]> {
  const store = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const server = http.createServer((request, response) => {
    seen.push(store.getStore());
    store.run(String(request.url), () => {
      setTimeout(() => {
        seen.push(store.getStore());
        response.on('finish', () => seen.push(store.getStore()));
        response.end();
      }, 1);
    });
  });
  await store.run('listen', async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  const { port } = server.address() as net.AddressInfo;
  for (const path of ['/1', '/2']) {
    const request = http.request({ port, host: '127.0.0.1', path, agent: new http.Agent({ keepAlive: false }) });
    await text(((await once(request.end(), 'response')) as [IncomingMessage])[0]);
  }
  server.close();
  return seen;
}

bothProtocols('https: a handler sees the address and the protocol', async (t, place) => {
  const seen: unknown[] = [];
  const served = https.createServer({ key, cert }, ({ socket }, response) => {
    seen.push(socket.remoteAddress, (socket as unknown as { encrypted: boolean }).encrypted, socket.localPort);
    response.end('secret');
  });
  const { port } = await place.listen(served);
  const agent = new place.functions.HttpsAgent({ keepAlive: true });
  place.atEnd(() => agent.destroy());
  const request = https.get({ port, host: '127.0.0.1', ca: cert, servername: 'localhost', agent });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  t.is(response.socket.remotePort, port);
  t.is(await text(response), 'secret');
  t.deepEqual(seen, ['127.0.0.1', true, port]);
});
