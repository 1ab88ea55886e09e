// `ferronet/http`: Node's servers behind ferronet's, and Node's clients over ferronet's sockets, each against one of Node's
// own and against each other.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http, { type IncomingMessage, type RequestListener } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import tls from 'node:tls';

import test, { type ExecutionContext } from 'ava';

import type * as helpers from 'ferronet/http';

import { listening, numbered } from './_helpers/both.js';
import { cert, key } from './_helpers/certificate.js';
import { isNode, node, ours } from './_helpers/implementations.js';
import { localPath } from './_helpers/local-path.js';
import { atMost } from './_helpers/patience.js';
import { runScript } from './_helpers/script.js';

const { serve, HttpAgent, HttpsAgent, connectHttp2, connectTls } = require('ferronet/http') as typeof helpers;

/** Whether ferronet can give descriptors to sockets of node:net. */
const hasDescriptors: boolean = isNode && process.platform !== 'win32';

const trust = { ca: cert, servername: 'localhost', host: '127.0.0.1' };

/** Listens until the test has ended. */
async function start(t: ExecutionContext, server: Server): Promise<number> {
  t.teardown(() => server.close());
  return listening(server);
}

/** In front of a server of Node's. */
const front = (behind: helpers.ConnectionServer): Server => serve(behind) as unknown as Server;

async function get(client: typeof http | typeof https, options: https.RequestOptions): Promise<[string, Socket]> {
  const request = client.get({ host: '127.0.0.1', ...options });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const { socket } = response;
  return [await text(response), socket];
}

const echo: RequestListener = (request, response) => void pipeline(request, response);

async function post(client: typeof http | typeof https, options: https.RequestOptions, body: Buffer): Promise<Buffer> {
  const request = client.request({ host: '127.0.0.1', method: 'POST', ...options });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return buffer(response);
}

// ---- servers

test('serve: http', async (t) => {
  const served: Socket[] = [];
  const server = http.createServer((request, response) => {
    served.push(request.socket);
    echo(request, response);
  });
  const port = await start(t, front(server));
  const bytes = numbered(1 << 20);
  t.true(bytes.equals(await post(http, { port, agent: false }, bytes)));
  t.true(served[0] instanceof (hasDescriptors ? node : ours).Socket);
});

test('serve: https', async (t) => {
  const port = await start(t, front(https.createServer({ key, cert }, echo)));
  const bytes = numbered(1 << 20);
  t.true(bytes.equals(await post(https, { port, agent: false, ...trust }, bytes)));
});

test('serve: http2, in the clear and secure', async (t) => {
  for (const server of [http2.createServer(), http2.createSecureServer({ key, cert })]) {
    server.on('stream', (stream: http2.ServerHttp2Stream) => void stream.pipe(stream));
    const port = await start(t, front(server));
    const isSecure = server instanceof tls.Server;
    const session = http2.connect(`${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`, { ca: cert });
    const stream = session.request({ ':method': 'POST' });
    stream.end('streamed');
    t.is(await text(stream), 'streamed');
    session.close();
    await once(session, 'close');
  }
});

test('serve: tls', async (t) => {
  const port = await start(t, front(tls.createServer({ key, cert }, (socket) => socket.end('secret'))));
  t.is(await text(tls.connect({ port, ...trust })), 'secret');
});

test('serve: what the server asks of its connections, and what is asked instead', (t) => {
  const server = http.createServer({ keepAlive: true, keepAliveInitialDelay: 4000, highWaterMark: 1000 });
  const names = ['allowHalfOpen', 'noDelay', 'keepAlive', 'keepAliveInitialDelay', 'highWaterMark'];
  const kept = (each: unknown): unknown[] => names.map((name) => Reflect.get(each as object, name) as unknown);
  t.deepEqual(kept(serve(server)), kept(server));
  t.deepEqual(kept(serve(server, { noDelay: false })), [true, false, true, 4, 1000]);
});

test('serve: the timeouts of the http.Server', async (t) => {
  const server = http.createServer({ connectionsCheckingInterval: 20, headersTimeout: 50, requestTimeout: 50 });
  const port = await start(t, front(server));
  const client = ours.connect(port, '127.0.0.1');
  let answer = '';
  // What comes when the server has closed already is answered by a reset.
  client.on('error', () => {}).on('data', (chunk: Buffer) => (answer += String(chunk)));
  client.write('GET / HTTP/1.1\r\n');
  await new Promise((resolve) => void client.on('close', resolve));
  t.regex(answer, /^HTTP\/1\.1 408 /);
});

test('serve: closing closes the connections without a request, and the process ends', async (t) => {
  const { code, stdout, stderr } = await runScript(
    `const http = require('node:http');
     const { serve, HttpAgent } = require('ferronet/http');
     const behind = http.createServer((request, response) => response.end('well'));
     behind.keepAliveTimeout = 0;
     behind.on('listening', () => console.log('listening')).on('close', () => console.log('told to close'));
     const server = serve(behind).listen(0, '127.0.0.1', () => {
       const agent = new HttpAgent({ keepAlive: true });
       const options = { port: server.address().port, host: '127.0.0.1', agent };
       http.get(options, (response) => response.on('end', () => setImmediate(() => {
         server.close(() => console.log('closed', server.address()));
       })).resume());
     });`,
  );
  t.deepEqual([code, stdout, stderr], [0, 'listening\ntold to close\nclosed null\n', '']);
});

// ---- clients

test('HttpAgent keeps its connection, which is a socket of node:net where it can be', async (t) => {
  // A server that has closed an idle connection resets it when a request comes after all.
  const options = { keepAliveTimeout: atMost(5000) };
  const port = await start(
    t,
    http.createServer(options, (request, response) => response.end(request.url)),
  );
  const agent = new HttpAgent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const sockets = new Set<Socket>();
  for (const path of ['/1', '/2', '/3']) {
    const [body, socket] = await get(http, { port, path, agent });
    t.is(body, path);
    sockets.add(socket);
    await new Promise(setImmediate);
  }
  t.is(sockets.size, 1);
  t.true([...sockets][0] instanceof (hasDescriptors ? node : ours).Socket);
});

test('HttpAgent on a socket path', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ferronet-http-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const socketPath = localPath(folder, 'socket');
  const server = http.createServer((request, response) => response.end(request.url)).listen(socketPath);
  t.teardown(() => server.close());
  await once(server, 'listening');
  const agent = new HttpAgent();
  t.is((await get(http, { socketPath, path: '/where', agent }))[0], '/where');
  t.is((await get(http, { path: '/where', agent: new HttpAgent({ socketPath } as object) }))[0], '/where');
});

test('HttpAgent: a refused connection is an error of the request', async (t) => {
  const port = await start(t, front(http.createServer()));
  const server = http.createServer();
  const free = await listening(server);
  server.close();
  await once(server, 'close');
  t.not(port, free);
  const request = http.get({ port: free, host: '127.0.0.1', agent: new HttpAgent() });
  const [error] = (await once(request, 'error')) as [NodeJS.ErrnoException];
  t.is(error.message, `connect ECONNREFUSED 127.0.0.1:${free}`);
});

test('HttpsAgent: many requests, a certificate, and the session again', async (t) => {
  const port = await start(t, https.createServer({ key, cert, maxVersion: 'TLSv1.2' }, echo));
  const agent = new HttpsAgent({ maxSockets: 1 });
  const reused: boolean[] = [];
  for (let i = 0; i < 3; i++) {
    const request = https.request({ port, agent, method: 'POST', ...trust });
    request.end(`number ${i}`);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const socket = response.socket as tls.TLSSocket;
    reused.push(socket.isSessionReused());
    t.is(await text(response), `number ${i}`);
    if (!socket.destroyed) await once(socket, 'close');
  }
  t.deepEqual(reused, [false, true, true]);
  const request = https.get({ port, agent: new HttpsAgent(), servername: 'localhost', host: '127.0.0.1' });
  const [error] = (await once(request, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
});

test('connectTls: a server of tls, a refused connection, and a timeout', async (t) => {
  const server = tls.createServer({ key, cert }, (socket) => socket.end('secret'));
  const port = await start(t, server);
  const client = connectTls({ port, ...trust, timeout: 60_000 }, () => t.true(client.authorized));
  t.is(client.timeout, 60_000);
  t.is(await text(client), 'secret');
  server.close();
  await once(server, 'close');
  const refused = connectTls({ port, ...trust });
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  t.is(error.message, `connect ECONNREFUSED 127.0.0.1:${port}`);
  t.plan(4);
});

test('connectHttp2: in the clear and secure', async (t) => {
  for (const server of [http2.createServer(), http2.createSecureServer({ key, cert })]) {
    const accepted: string[] = [];
    server.on('stream', (stream: http2.ServerHttp2Stream) => void stream.pipe(stream));
    server.on('session', (session) => accepted.push(String(session.alpnProtocol)));
    const port = await start(t, server as unknown as Server);
    const isSecure = server instanceof tls.Server;
    const made = new Promise<http2.ClientHttp2Session>((resolve) => {
      connectHttp2(`${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`, { ca: cert }, resolve);
    });
    const session = await made;
    t.is(session.socket.remoteAddress, hasDescriptors ? '127.0.0.1' : undefined);
    const stream = session.request({ ':method': 'POST' });
    stream.end('streamed');
    t.is(await text(stream), 'streamed');
    t.deepEqual(accepted, [isSecure ? 'h2' : 'h2c']);
    session.close();
    await once(session, 'close');
  }
});

test('both ends with ferronet', async (t) => {
  const bytes = numbered(1 << 20);
  const plain = await start(t, front(http.createServer(echo)));
  t.true(bytes.equals(await post(http, { port: plain, agent: new HttpAgent() }, bytes)));
  const secure = await start(t, front(https.createServer({ key, cert }, echo)));
  t.true(bytes.equals(await post(https, { port: secure, agent: new HttpsAgent(), ...trust }, bytes)));
  const second = http2.createSecureServer({ key, cert });
  second.on('stream', (stream: http2.ServerHttp2Stream) => void stream.pipe(stream));
  const session = connectHttp2(`https://127.0.0.1:${await start(t, front(second))}`, { ca: cert });
  const stream = session.request({ ':method': 'POST' });
  stream.end(bytes);
  t.true(bytes.equals(await buffer(stream)));
  session.close();
});
