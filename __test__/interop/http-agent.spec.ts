// http clients on ferronet's sockets: by `createConnection` and by a custom Agent.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';

import { both, closed, listening, type Place } from '../_helpers/both.js';
import { ask } from '../_helpers/http-front.js';

/** A server of node:http itself. */
async function serve(place: Place, onRequest: http.RequestListener): Promise<{ port: number; server: http.Server }> {
  const server = http.createServer(onRequest);
  place.atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: await listening(server) };
}

/** An Agent whose connections are those of `place`. */
class PlaceAgent extends http.Agent {
  readonly made: Socket[] = [];
  readonly #place: Place;

  constructor(place: Place, options?: http.AgentOptions) {
    super(options);
    this.#place = place;
    place.atEnd(() => this.destroy());
  }

  override createConnection(options: http.ClientRequestArgs): Socket {
    const socket = this.#place.net.connect(Number(options.port), '127.0.0.1');
    this.made.push(socket);
    return socket;
  }
}

both('a request by createConnection', async (t, place) => {
  const { port } = await serve(place, (request, response) => response.end(request.headers['user-agent']));
  const { status, body } = await ask({
    port,
    headers: { 'user-agent': 'a test' },
    createConnection: () => place.connect(port),
  });
  t.deepEqual([status, body], [200, 'a test']);
});

both('a connection that createConnection passes to its callback', async (t, place) => {
  const { port } = await serve(place, (_request, response) => response.end('later'));
  const { body } = await ask({
    createConnection: (_options, done) => {
      const socket = place.connect(port).once('connect', () => done(null, socket));
      return undefined;
    },
  });
  t.is(body, 'later');
});

both('an agent with keepAlive uses its connection again', async (t, place) => {
  const { port } = await serve(place, (_request, response) => response.end('again'));
  const agent = new PlaceAgent(place, { keepAlive: true });
  const answers = [];
  for (let i = 0; i < 4; i++) {
    answers.push(await ask({ port, agent }));
    // The agent takes the socket back in the next tick.
    await new Promise(setImmediate);
  }
  t.is(agent.made.length, 1);
  t.true(answers.every(({ body, socket }) => body === 'again' && socket === agent.made[0]));
});

both('an agent queues what is more than its sockets', async (t, place) => {
  const { port } = await serve(place, (request, response) => setImmediate(() => response.end(request.url)));
  const agent = new PlaceAgent(place, { keepAlive: true, maxSockets: 5 });
  const paths = Array.from({ length: 60 }, (_, i) => `/${i}`);
  const answers = await Promise.all(paths.map((path) => ask({ port, path, agent })));
  t.deepEqual(
    answers.map(({ body }) => body),
    paths,
  );
  t.is(agent.made.length, 5);
});

both('a kept connection that the server ends is not used again', async (t, place) => {
  const { port, server } = await serve(place, (_request, response) => response.end('once'));
  const agent = new PlaceAgent(place, { keepAlive: true });
  const { socket } = await ask({ port, agent });
  const closed = once(socket, 'close');
  server.closeAllConnections();
  await closed;
  await ask({ port, agent });
  t.is(agent.made.length, 2);
});

both('an aborted request destroys its socket', async (t, place) => {
  const { port } = await serve(place, () => controller.abort());
  const controller = new AbortController();
  const agent = new PlaceAgent(place);
  const request = http.get({ port, agent, signal: controller.signal });
  const [error] = (await once(request, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ABORT_ERR');
  t.true(agent.made[0]?.destroyed);
});

both('a server that closes without an answer', async (t, place) => {
  const { port } = await serve(place, (request) => request.socket.destroy());
  const request = http.get({ port, agent: new PlaceAgent(place) });
  const [error] = (await once(request, 'error')) as [NodeJS.ErrnoException];
  t.is(`${error.code} ${error.message}`, 'ECONNRESET socket hang up');
});

both('an answer that breaks off', async (t, place) => {
  const { port } = await serve(place, (_request, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('only this', () => response.socket?.destroy());
  });
  const request = http.get({ port, agent: new PlaceAgent(place) });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const error = await t.throwsAsync(text(response));
  t.is((error as NodeJS.ErrnoException).code, 'ECONNRESET');
});

both('a refused connection is an error of the request', async (t, place) => {
  const { port, server } = await serve(place, () => {});
  server.close();
  await once(server, 'close');
  const request = http.get({ port, agent: new PlaceAgent(place) });
  const [error] = (await once(request, 'error')) as [NodeJS.ErrnoException];
  t.is(error.message, `connect ECONNREFUSED 127.0.0.1:${port}`);
});

both('the timeout of a request', async (t, place) => {
  const { port } = await serve(place, () => {});
  const request = http.get({ port, agent: new PlaceAgent(place), timeout: 30 });
  await once(request, 'timeout');
  t.is(request.socket?.timeout, 30);
  request.on('error', () => {}).destroy();
});

both('the socket of a request that was answered is free of listeners', async (t, place) => {
  const { port } = await serve(place, (_request, response) => response.end('well'));
  const agent = new PlaceAgent(place, { keepAlive: true });
  const counts: number[][] = [];
  for (let i = 0; i < 12; i++) {
    const { socket } = await ask({ port, agent });
    await new Promise(setImmediate);
    counts.push(socket.eventNames().map((name) => socket.listenerCount(name)));
  }
  t.deepEqual(counts.at(-1), counts[0]);
});

both('each request on a kept connection has its own async context', async (t, place) => {
  const { port } = await serve(place, (request, response) => {
    if (request.url === '/gone') request.socket.destroy();
    else response.end('well');
  });
  const agent = new PlaceAgent(place, { keepAlive: true });
  const storage = new AsyncLocalStorage<string>();
  const seen: string[] = [];
  const note = (event: string): void => void seen.push(`${event}: ${storage.getStore()}`);

  await storage.run('first', async () => {
    const request = http.get({ port, agent });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.on('end', () => note('end')).resume();
    await once(response, 'close');
  });
  await new Promise(setImmediate);
  await storage.run('second', async () => {
    const request: ClientRequest = http.get({ port, agent, path: '/gone' });
    request.on('socket', () => note('socket')).on('error', () => note('error'));
    await closed(request);
  });
  t.is(agent.made.length, 1);
  t.deepEqual(seen, ['end: first', 'socket: second', 'error: second']);
});

both('what a server sends on a kept connection without being asked answers no request', async (t, place) => {
  const served: Socket[] = [];
  const { port } = await serve(place, (request, response) => {
    served.push(request.socket);
    response.end('asked for');
  });
  const agent = new PlaceAgent(place, { keepAlive: true });
  const { socket } = await ask({ port, agent });
  await new Promise(setImmediate);
  const [first] = agent.made;
  const over = first?.destroyed === false ? closed(first) : undefined;
  served[0]?.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong');
  await over;
  t.true(socket.destroyed);
  t.is((await ask({ port, agent })).body, 'asked for');
  t.is(agent.made.length, 2);
});
