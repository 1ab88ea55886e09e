// Servers that handle the connections of a `net.Server`: of TLS, HTTP and HTTPS.
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

import { readCertificate } from './certificate.cjs';

const BODY = Buffer.from('Hello, world!\n');

const respond: RequestListener = (_request, response) => {
  response.setHeader('Content-Type', 'text/plain');
  response.end(BODY);
};

const fronts: Record<string, () => Server> = {
  http: () => createHttpServer(respond),

  https: () => createHttpsServer(readCertificate(), respond),

  tls: () =>
    createTlsServer({ ...readCertificate(), noDelay: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', (data) => socket.write(data));
    }).on('tlsClientError', (_error, socket) => socket.destroy()),
};

/** The server that listens for a program, over an implementation of `net`. */
export function createFront(implementation: string, program: string): Server {
  const front = fronts[program]?.();
  if (!front) throw new Error(`there is no program ${program}`);
  if (implementation !== 'ferronet') return front;
  const { serve } = require('ferronet/http') as { serve: (server: Server) => Server };
  return serve(front);
}
