// node:https over ferronet's sockets, at either end.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import tls, { type TLSSocket } from 'node:tls';

import { both, listening, numbered, type Place } from '../_helpers/both.js';
import { cert, key } from '../_helpers/certificate.js';

async function ask(options: RequestOptions, body?: Buffer): Promise<IncomingMessage> {
  const request = https.request({ host: '127.0.0.1', method: body ? 'POST' : 'GET', ca: cert, ...options });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

/** An agent with TLS over sockets of `place`. */
class SecureAgent extends https.Agent {
  readonly made: TLSSocket[] = [];
  readonly #place: Place;

  constructor(place: Place, options?: https.AgentOptions) {
    super(options);
    this.#place = place;
    place.atEnd(() => this.destroy());
  }

  override createConnection(options: RequestOptions): Socket {
    const socket = this.#place.connect(Number(options.port));
    const secured = tls.connect({ socket, ca: cert, servername: 'localhost' });
    this.made.push(secured);
    return secured;
  }
}

both('a client on sockets of the tried net keeps its connection', async (t, place) => {
  const server = https.createServer({ key, cert }, (request, response) => void pipeline(request, response));
  place.atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  const port = await listening(server);
  const agent = new SecureAgent(place, { keepAlive: true });
  const bytes = numbered(2 << 20);
  for (let i = 0; i < 3; i++) {
    t.true(bytes.equals(await buffer(await ask({ port, agent }, bytes))));
    await new Promise(setImmediate);
  }
  t.is(agent.made.length, 1);
});

both('many requests at once', async (t, place) => {
  const server = https.createServer({ key, cert }, (request, response) => response.end(request.url));
  place.atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  const port = await listening(server);
  const agent = new SecureAgent(place, { keepAlive: true, maxSockets: 4 });
  const paths = Array.from({ length: 40 }, (_, i) => `/${i}`);
  const bodies = await Promise.all(paths.map(async (path) => text(await ask({ port, path, agent }))));
  t.deepEqual(bodies, paths);
  t.is(agent.made.length, 4);
});

both('a server on accepted connections', async (t, place) => {
  const server = https.createServer({ key, cert }, (request, response) => void pipeline(request, response));
  const { port } = await place.listen((socket) => server.emit('connection', socket));
  const agent = new https.Agent({ keepAlive: true });
  place.atEnd(() => agent.destroy());
  const bytes = numbered(2 << 20);
  for (let i = 0; i < 3; i++) t.true(bytes.equals(await buffer(await ask({ port, agent }, bytes))));
});

both('a client that does not trust the server', async (t, place) => {
  const server = https.createServer({ key, cert }, () => t.fail('no request should come'));
  server.on('tlsClientError', () => {});
  const { port } = await place.listen((socket) => server.emit('connection', socket));
  const createConnection = (): Socket => tls.connect({ socket: place.connect(port), servername: 'localhost' });
  const error = await t.throwsAsync(ask({ createConnection }));
  t.is((error as NodeJS.ErrnoException).code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
});
