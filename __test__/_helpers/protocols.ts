// One test on Node's protocols as they are and on the same over ferronet, by `ferronet/http`: the same has to be seen.
import type http from 'node:http';
import nodeHttp, { Agent as NodeHttpAgent } from 'node:http';
import http2 from 'node:http2';
import { Agent as NodeHttpsAgent } from 'node:https';
import type { Server } from 'node:net';
import tls from 'node:tls';

import test, { type ExecutionContext } from 'ava';

import type * as helpers from 'ferronet/http';

import { listening } from './both.js';
import { cert } from './certificate.js';
import { isNode } from './implementations.js';

const ferronet = require('ferronet/http') as typeof helpers;

/** The same functions, of Node or of `ferronet/http`. */
interface Functions {
  serve: (server: helpers.ConnectionServer) => Server;
  HttpAgent: typeof NodeHttpAgent;
  HttpsAgent: typeof NodeHttpsAgent;
  connectTls: (options: tls.ConnectionOptions, listener?: () => void) => tls.TLSSocket;
  connectHttp2: typeof http2.connect;
}

const theirs: Functions = {
  serve: (server) => server as unknown as Server,
  HttpAgent: NodeHttpAgent,
  HttpsAgent: NodeHttpsAgent,
  connectTls: (options, listener) => tls.connect(options, listener),
  connectHttp2: http2.connect,
};

const ours: Functions = { ...ferronet, serve: (server) => ferronet.serve(server) as unknown as Server } as Functions;

/** Where a test plays. */
export class Protocols {
  readonly functions: Functions;
  readonly isOurs: boolean;
  readonly #toEnd: (() => void)[] = [];

  constructor(functions: Functions) {
    this.functions = functions;
    this.isOurs = functions === ours;
  }

  /** Listens on a port of 127.0.0.1, until the test has ended. */
  async listen(behind: helpers.ConnectionServer): Promise<{ server: Server; port: number }> {
    const server = this.functions.serve(behind);
    server.on('connection', (socket) => this.atEnd(() => socket.destroy()));
    this.atEnd(() => server.close());
    return { server, port: await listening(server) };
  }

  /** A request to 127.0.0.1, by an agent of this side. */
  request(options: http.RequestOptions): http.ClientRequest {
    const agent = new this.functions.HttpAgent(options.agent === false ? {} : { keepAlive: true });
    this.atEnd(() => agent.destroy());
    return nodeHttp.request({ host: '127.0.0.1', ...options, agent });
  }

  /** A TLS client that trusts the certificate of the tests. */
  secure(options: tls.ConnectionOptions): tls.TLSSocket {
    const client = this.functions.connectTls({ host: '127.0.0.1', ca: cert, servername: 'localhost', ...options });
    this.atEnd(() => client.destroy());
    return client;
  }

  atEnd(action: () => void): void {
    this.#toEnd.push(action);
  }

  end(): void {
    for (const action of this.#toEnd.reverse()) action();
  }
}

/** Where ferronet has descriptors to give: elsewhere some of what Node's own handles show is missing. */
export const hasDescriptors: boolean = isNode && process.platform !== 'win32';

/** Declares the test twice. */
export function bothProtocols(title: string, run: (t: ExecutionContext, place: Protocols) => Promise<void>): void {
  for (const [name, functions] of [
    ['node', theirs],
    ['ferronet/http', ours],
  ] as const) {
    const declare = hasDescriptors ? test : test.skip;
    declare(`${title} [${name}]`, async (t) => {
      const place = new Protocols(functions);
      try {
        await run(t, place);
      } finally {
        place.end();
      }
    });
  }
}
