// What a client of Node's protocols sees of a connection that ferronet makes: how it begins, fails and is given up.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net, { type LookupFunction, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';

import { closed, listening } from '../_helpers/both.js';
import { cert, key } from '../_helpers/certificate.js';
import { bothProtocols, type Protocols } from '../_helpers/protocols.js';

/** A port on which nothing listens. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  const port = await listening(server);
  server.close();
  await once(server, 'close');
  return port;
}

const toAll: LookupFunction = (_host, options, done) => {
  const all = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ];
  const answer = done as (error: null, found: unknown, family?: number) => void;
  setImmediate(() => answer(null, options.all ? all : '127.0.0.1', 4));
};

interface Failure {
  name: string;
  code: string | undefined;
  message: string;
  errors: unknown;
}

function described(error: NodeJS.ErrnoException): Failure {
  const { errors } = error as { errors?: Error[] };
  return {
    name: error.constructor.name,
    code: error.code,
    message: error.message,
    errors: errors?.map(({ message }) => message),
  };
}

async function failure(emitter: NodeJS.EventEmitter): Promise<Failure> {
  return described(((await once(emitter, 'error')) as [NodeJS.ErrnoException])[0]);
}

/** What an agent connects. */
function connectPlainly(place: Protocols, options: object): Socket {
  const agent = new place.functions.HttpAgent() as unknown as { createConnection: (options: object) => Socket };
  const socket = agent.createConnection(options);
  place.atEnd(() => socket.destroy());
  return socket;
}

bothProtocols('a refused connection', async (t, place) => {
  const port = await freePort();
  const message = `connect ECONNREFUSED 127.0.0.1:${port}`;
  const expected = { name: 'Error', code: 'ECONNREFUSED', message, errors: undefined };
  t.deepEqual(await failure(place.request({ port })), expected);
  const client = place.secure({ port });
  t.deepEqual(await failure(client), expected);
  await closed(client);
});

bothProtocols('a name whose addresses all refuse', async (t, place) => {
  const port = await freePort();
  const options: object = {
    port,
    host: 'a.test',
    lookup: toAll,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 9000,
  };
  const found = [await failure(place.request(options)), await failure(place.secure(options))];
  for (const { name, code, errors } of found) {
    t.deepEqual([name, code], ['AggregateError', 'ECONNREFUSED']);
    t.deepEqual(errors, [`connect ECONNREFUSED 127.0.0.1:${port}`, `connect ECONNREFUSED ::1:${port}`]);
  }
});

bothProtocols('the second address of a name', async (t, place) => {
  const behind = tls.createServer({ key, cert }, (socket) => socket.end('second'));
  const { port } = await place.listen(behind);
  const lookup: LookupFunction = (_host, options, done) => {
    const all = [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ];
    (done as (error: null, found: unknown, family?: number) => void)(null, options.all ? all : '::1', 6);
  };
  const client = place.secure({
    port,
    host: 'localhost',
    lookup,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 9000,
  } as tls.ConnectionOptions);
  t.is(await text(client), 'second');
});

bothProtocols('a name that is not found', async (t, place) => {
  const lookup: LookupFunction = (host, _options, done) => {
    done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }), '', 4);
  };
  const options = { port: 1, host: 'a.test', lookup };
  t.is((await failure(place.request(options))).code, 'ENOTFOUND');
  t.is((await failure(place.secure(options))).code, 'ENOTFOUND');
});

bothProtocols('events of the attempt', async (t, place) => {
  const { port } = await place.listen(http.createServer((_request, response) => response.end()));
  const log: string[] = [];
  const socket = connectPlainly(place, { port, host: 'a.test', lookup: toAll, autoSelectFamily: false });
  for (const event of ['lookup', 'connectionAttempt', 'connect', 'ready'] as const) {
    socket.on(event, () => log.push(`${event} ${socket.connecting} ${socket.readyState}`));
  }
  t.is(socket.connecting, true);
  await once(socket, 'ready');
  t.deepEqual(log, ['lookup true opening', 'connectionAttempt true opening', 'connect false open', 'ready false open']);
});

bothProtocols('giving up while it connects', async (t, place) => {
  let isAsked: () => void;
  const asked = new Promise<void>((resolve) => (isAsked = resolve));
  // Never answers.
  const lookup: LookupFunction = () => isAsked();
  const options = { port: 1, host: 'a.test', lookup };
  const request = place.request(options);
  const failed = failure(request);
  await asked;
  request.destroy();
  t.is((await failed).message, 'socket hang up');
  const client = place.secure(options);
  client.destroy();
  await closed(client);
  const controller = new AbortController();
  const aborted = place.secure({ ...options, signal: controller.signal } as tls.ConnectionOptions);
  const over = failure(aborted);
  controller.abort();
  t.is((await over).name, 'AbortError');
});

bothProtocols('a connection that is given up is not made', async (t, place) => {
  const behind = tls.createServer({ key, cert });
  const { server, port } = await place.listen(behind);
  let connections = 0;
  server.on('connection', () => (connections += 1));
  for (let i = 0; i < 5; i++) place.secure({ port }).destroy();
  const last = place.secure({ port });
  await once(last, 'secureConnect');
  t.is(connections, 1);
});

bothProtocols('idle timeouts of a request that has to wait', async (t, place) => {
  const { port } = await place.listen(http.createServer(() => {}));
  const request = place.request({ port, timeout: 30 });
  request.on('error', () => {}).end();
  await once(request, 'timeout');
  const agent = new place.functions.HttpsAgent({ timeout: 30 });
  const secure = https.createServer({ key, cert }, () => {});
  const { port: securePort } = await place.listen(secure);
  const asking = https.get({ port: securePort, host: '127.0.0.1', ca: cert, servername: 'localhost', agent });
  asking.on('error', () => {});
  await once(asking, 'timeout');
  asking.destroy();
  request.destroy();
  t.pass();
});

bothProtocols('options of the socket, before and while it connects', async (t, place) => {
  const { port } = await place.listen(http.createServer((_request, response) => response.end()));
  const request = place.request({ port });
  request.setNoDelay(false);
  request.setSocketKeepAlive(true, 5000);
  request.end();
  const [socket] = (await once(request, 'socket')) as [Socket];
  socket.setKeepAlive(true, 7000).setNoDelay(true);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  await text(response);
  t.true(socket instanceof net.Socket);
  t.is(socket.remotePort, port);
});

bothProtocols('a client that does not keep the process', async (t, place) => {
  const { port } = await place.listen(http.createServer());
  const socket = connectPlainly(place, { port, host: '127.0.0.1' });
  const hasRef = (): boolean => (socket as unknown as { _handle: { hasRef: () => boolean } })._handle.hasRef();
  socket.unref();
  t.false(hasRef());
  await once(socket, 'connect');
  t.false(hasRef());
  socket.ref();
  t.true(hasRef());
});

bothProtocols('a kept connection is used again, and its end is noticed', async (t, place) => {
  const served = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => response.end(request.url));
  const { port } = await place.listen(served);
  const agent = new place.functions.HttpAgent({ keepAlive: true });
  place.atEnd(() => agent.destroy());
  const get = async (path: string): Promise<Socket> => {
    const request = http.get({ port, host: '127.0.0.1', path, agent });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const { socket } = response;
    t.is(await text(response), path);
    await new Promise(setImmediate);
    return socket;
  };
  const first = await get('/1');
  t.is(await get('/2'), first);
  const over = closed(first);
  served.closeIdleConnections();
  await over;
  t.not(await get('/3'), first);
});

bothProtocols('a local socket, and one that is not there', async (t, place) => {
  const socketPath = join(tmpdir(), `ferronet-protocols-${process.pid}-${Math.random()}`);
  const server = place.functions.serve(http.createServer((request, response) => response.end(request.url)));
  t.teardown(() => rmSync(socketPath, { force: true }));
  server.listen(socketPath);
  await once(server, 'listening');
  place.atEnd(() => server.close());
  const request = place.request({ socketPath, path: '/local', agent: false });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  t.is(await text(response), '/local');
  const missing = `${socketPath}-missing`;
  t.is((await failure(place.request({ socketPath: missing }))).message, `connect ENOENT ${missing}`);
});

bothProtocols('the store of the caller', async (t, place) => {
  const store = new AsyncLocalStorage<string>();
  const behind = tls.createServer({ key, cert }, (socket) => socket.end('hello'));
  const { port } = await place.listen(behind);
  const seen: (string | undefined)[] = [];
  await store.run('caller', async () => {
    const client = place.secure({ port });
    for (const event of ['connect', 'secureConnect', 'data', 'end', 'close']) {
      client.on(event, () => seen.push(`${event} ${store.getStore()}`));
    }
    await closed(client);
  });
  t.deepEqual(seen, ['connect caller', 'secureConnect caller', 'data caller', 'end caller', 'close caller']);
});

async function session(place: Protocols, server: http2.Http2Server, scheme: string): Promise<http2.ClientHttp2Session> {
  const { port } = await place.listen(server as unknown as net.Server);
  const client = place.functions.connectHttp2(`${scheme}://127.0.0.1:${port}`, { ca: cert });
  place.atEnd(() => client.destroy());
  return client;
}

bothProtocols('HTTP/2: addresses, streams, ping', async (t, place) => {
  for (const scheme of ['http', 'https']) {
    const server = scheme === 'http' ? http2.createServer() : http2.createSecureServer({ key, cert });
    server.on('stream', (stream: http2.ServerHttp2Stream) => void stream.pipe(stream));
    const accepted = once(server, 'session') as Promise<[http2.ServerHttp2Session]>;
    const client = await session(place, server as http2.Http2Server, scheme);
    const stream = client.request({ ':method': 'POST' });
    stream.end('streamed');
    t.is(await text(stream), 'streamed');
    const [serving] = await accepted;
    t.is(client.socket.remoteAddress, '127.0.0.1');
    t.is(serving.socket.remotePort, client.socket.localPort);
    await new Promise<void>((resolve) => client.ping(() => resolve()));
    client.close();
    await once(client, 'close');
  }
});

bothProtocols('HTTP/2: a refused connection', async (t, place) => {
  const port = await freePort();
  const client = place.functions.connectHttp2(`http://127.0.0.1:${port}`);
  const [{ message }] = await Promise.all([failure(client), closed(client)]);
  t.is(message, `connect ECONNREFUSED 127.0.0.1:${port}`);
});
