// undici, the client below fetch(), with a connector that returns ferronet's sockets.
import http from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import tls from 'node:tls';
import https from 'node:https';

import { Agent, Client, fetch } from 'undici';

import { both, listening, numbered, type Place } from '../_helpers/both.js';
import { cert, key } from '../_helpers/certificate.js';

interface Connector {
  made: Socket[];
  connect: (
    options: { port: string; protocol: string },
    done: (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void,
  ) => void;
}

function connector(place: Place): Connector {
  const made: Socket[] = [];
  return {
    made,
    connect: ({ port, protocol }, done) => {
      const plain = place.connect(Number(port));
      const isSecure = protocol === 'https:';
      const socket = isSecure ? tls.connect({ socket: plain, ca: cert, servername: 'localhost' }) : plain;
      made.push(socket);
      socket.once('error', (error) => done(error, null));
      socket.once(isSecure ? 'secureConnect' : 'connect', () => done(null, socket));
    },
  };
}

async function serve(place: Place, onRequest: http.RequestListener): Promise<string> {
  const server = http.createServer(onRequest);
  place.atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${await listening(server)}`;
}

both('requests one after the other keep the connection', async (t, place) => {
  const origin = await serve(place, (request, response) => response.end(request.url));
  const { connect, made } = connector(place);
  const client = new Client(origin, { connect });
  for (const path of ['/1', '/2', '/3']) {
    const { statusCode, body } = await client.request({ path, method: 'GET' });
    t.deepEqual([statusCode, await body.text()], [200, path]);
  }
  t.is(made.length, 1);
  await client.close();
});

both('pipelining', async (t, place) => {
  const origin = await serve(place, (request, response) => response.end(request.url));
  const { connect, made } = connector(place);
  const client = new Client(origin, { connect, pipelining: 10 });
  const paths = Array.from({ length: 50 }, (_, i) => `/${i}`);
  const bodies = await Promise.all(
    paths.map(async (path) => (await client.request({ path, method: 'GET' })).body.text()),
  );
  t.deepEqual(bodies, paths);
  t.is(made.length, 1);
  await client.close();
});

both('fetch with megabytes there and back, many at once', async (t, place) => {
  const origin = await serve(place, (request, response) => void pipeline(request, response));
  const { connect } = connector(place);
  const dispatcher = new Agent({ connect });
  const body = numbered(1 << 20);
  const answers = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const response = await fetch(origin, { method: 'POST', body, dispatcher });
      return Buffer.from(await response.arrayBuffer());
    }),
  );
  t.true(answers.every((each) => body.equals(each)));
  await dispatcher.close();
});

both('fetch over TLS over a socket', async (t, place) => {
  const server = https.createServer({ key, cert }, (_request, response) => response.end('secret'));
  place.atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  const port = await listening(server);
  const dispatcher = new Agent({ connect: connector(place).connect });
  t.is(await (await fetch(`https://localhost:${port}`, { dispatcher })).text(), 'secret');
  await dispatcher.close();
});

both('an aborted fetch, and a refused one', async (t, place) => {
  const controller = new AbortController();
  const origin = await serve(place, () => controller.abort());
  const { connect, made } = connector(place);
  const dispatcher = new Agent({ connect });
  const aborted = await t.throwsAsync(fetch(origin, { dispatcher, signal: controller.signal }), { any: true });
  t.is((aborted as Error).name, 'AbortError');
  await dispatcher.destroy();
  t.true(made[0]?.destroyed);

  const { server, port } = await place.listen(() => {});
  server.close();
  const refusing = new Agent({ connect: connector(place).connect });
  const refused = await t.throwsAsync(fetch(`http://127.0.0.1:${port}`, { dispatcher: refusing }));
  t.is(((refused as Error).cause as NodeJS.ErrnoException).code, 'ECONNREFUSED');
  await refusing.destroy();
});

both('an answer that breaks off', async (t, place) => {
  const origin = await serve(place, (_request, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('only this', () => response.socket?.destroy());
  });
  const client = new Client(origin, { connect: connector(place).connect });
  const { body } = await client.request({ path: '/', method: 'GET' });
  const error = await t.throwsAsync(body.text());
  t.is((error as NodeJS.ErrnoException).code, 'UND_ERR_SOCKET');
  await client.destroy();
});
