// http.Server on connections that a ferronet server has accepted.
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

import { both, closed, numbered, withResolvers } from '../_helpers/both.js';
import { ask, front } from '../_helpers/http-front.js';

both('one connection serves several requests', async (t, place) => {
  const { port, sockets } = await front(place, (request, response) => response.end(`you asked for ${request.url}`));
  const agent = new http.Agent({ keepAlive: true });
  place.atEnd(() => agent.destroy());
  for (const path of ['/1', '/2', '/3']) t.is((await ask({ port, path, agent })).body, `you asked for ${path}`);
  t.is(sockets.length, 1);
});

both('pipelined requests are answered in order', async (t, place) => {
  const { port } = await front(place, (request, response) => {
    // The first answers last.
    if (request.url === '/0') setImmediate(() => response.end('<0>'));
    else response.end(`<${request.url?.slice(1)}>`);
  });
  const client = place.connect(port);
  const paths = Array.from({ length: 20 }, (_, i) => `/${i}`);
  client.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''));
  client.write('GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const said = (await text(client)).match(/<\w+>/g);
  t.deepEqual(said, [...paths.map((path) => `<${path.slice(1)}>`), '<last>']);
});

both('megabytes are uploaded and come back', async (t, place) => {
  const { port } = await front(place, (request, response) => void pipeline(request, response));
  const bytes = numbered(8 << 20);
  const request = http.request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    createConnection: () => place.connect(port),
  });
  request.end(bytes);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  t.true(bytes.equals(await buffer(response)));
});

both('a slow reader holds the server back', async (t, place) => {
  const { port } = await front(place, (_request, response) => {
    let wrote = 0;
    const go = (): void => {
      while (wrote < 1_000)
        if (!response.write(Buffer.alloc(10_000, wrote++ % 251))) return void response.once('drain', go);
      response.end();
    };
    go();
  });
  const client = place.connect(port);
  client.write('GET / HTTP/1.0\r\n\r\n');
  let body = 0;
  for await (const chunk of client) {
    body += (chunk as Buffer).length;
    await new Promise(setImmediate);
  }
  t.true(body > 10_000_000 && body < 10_001_000);
});

both('a malformed request emits clientError with the accepted socket', async (t, place) => {
  const server = await front(place, () => t.fail('not a request'));
  const told = once(server.http, 'clientError');
  const client = place.connect(server.port);
  client.write('NONSENSE\r\n\r\n');
  const [error, socket] = (await told) as [NodeJS.ErrnoException, Socket];
  t.is(error.code, 'HPE_INVALID_METHOD');
  t.true(socket === server.sockets[0]);
  socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  t.is(await text(client), 'HTTP/1.1 400 Bad Request\r\n\r\n');
});

both('without a clientError listener a bad request is answered 400', async (t, place) => {
  const { port } = await front(place, () => t.fail('not a request'));
  const client = place.connect(port);
  client.write('NONSENSE\r\n\r\n');
  t.regex(await text(client), /^HTTP\/1\.1 400 Bad Request\r\n/);
});

both('a client that resets amid its request is an error of the request', async (t, place) => {
  const seen: string[] = [];
  const { promise, resolve } = withResolvers<void>();
  const server = await front(place, (request) => {
    request.on('error', (error: NodeJS.ErrnoException) => seen.push(`error ${error.code}`));
    request.on('aborted', () => seen.push('aborted'));
    void closed(request.socket).then(resolve);
    client.resetAndDestroy();
  });
  const client = place.connect(server.port);
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345');
  await promise;
  t.deepEqual(seen, ['aborted', 'error ECONNRESET']);
});

both('a client that resets between requests is a clientError', async (t, place) => {
  const server = await front(place, (_request, response) => response.end('well'));
  const client = place.connect(server.port);
  const told = once(server.http, 'clientError');
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(client, 'data');
  client.resetAndDestroy();
  const [error] = (await told) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNRESET');
});

both('the timeout of the server is that of its sockets', async (t, place) => {
  const server = await front(place, () => {});
  server.http.setTimeout(30);
  const client = place.connect(server.port);
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const [socket] = (await once(server.http, 'timeout')) as [Socket];
  t.true(socket === server.sockets[0]);
  socket.destroy();
});

both('an idle connection is closed after keepAliveTimeout', async (t, place) => {
  const server = await front(place, (_request, response) => response.end('well'));
  server.http.keepAliveTimeout = 20;
  const client = place.connect(server.port);
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  t.regex(await text(client), /\r\nwell$/);
});

both('closing the http.Server closes its idle connections', async (t, place) => {
  const server = await front(place, (_request, response) => response.end('well'));
  const client = place.connect(server.port);
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(client, 'data');
  const ended = once(client, 'end');
  server.http.closeAllConnections();
  await ended;
  t.pass();
});

both('what was sent before the upgrade and after it arrives', async (t, place) => {
  const server = await front(place, () => t.fail('not a plain request'));
  server.http.on('upgrade', (_request, socket, head) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.write(head);
    socket.pipe(socket);
  });
  const client = place.connect(server.port);
  client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhead ');
  await once(client, 'data');
  client.end('and tail');
  t.true((await text(client)).endsWith('and tail'));
});

both('Expect: 100-continue', async (t, place) => {
  const { port } = await front(place, (request, response) => void pipeline(request, response));
  const request = http.request({
    method: 'PUT',
    headers: { expect: '100-continue' },
    createConnection: () => place.connect(port),
  });
  request.flushHeaders();
  await once(request, 'continue');
  request.end('now the body');
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  t.is(await text(response), 'now the body');
});
