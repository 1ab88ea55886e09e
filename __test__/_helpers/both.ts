// One test on sockets of node:net and of ferronet: Node's own layers and packages above must behave the same. That it passes
// on node:net shows that the test expects the right thing.
import { type EventEmitter, once } from 'node:events';
import type { AddressInfo, Server, ServerOpts, Socket } from 'node:net';

import test, { type ExecutionContext } from 'ava';

import { type Net, ours, tried } from './implementations.js';

/** A server that listens, and where. */
export interface Listening {
  server: Server;
  port: number;
}

/** Where a test plays: one implementation, and all that is to be closed when the test has ended. */
export class Place {
  readonly net: Net;
  readonly isOurs: boolean;
  readonly #toEnd: (() => void)[] = [];

  constructor(net: Net) {
    this.net = net;
    this.isOurs = net === ours;
  }

  /** A server of this implementation on a port of 127.0.0.1. */
  async listen(onConnection: (socket: Socket) => void, options: ServerOpts = {}): Promise<Listening> {
    const server = this.net.createServer(options, (socket: Socket) => {
      this.atEnd(() => socket.destroy());
      onConnection(socket);
    });
    this.atEnd(() => server.close());
    return { server, port: await listening(server) };
  }

  /** A socket of this implementation, connecting. */
  connect(port: number): Socket {
    const socket = this.net.connect(port, '127.0.0.1');
    this.atEnd(() => socket.destroy());
    return socket;
  }

  /** Two ends of one connection: the client's, and the accepted one. */
  async pair(options: ServerOpts = {}): Promise<[client: Socket, accepted: Socket]> {
    const { promise, resolve } = withResolvers<Socket>();
    const { port, server } = await this.listen((socket) => {
      server.close();
      resolve(socket);
    }, options);
    const client = this.connect(port);
    const [accepted] = await Promise.all([promise, once(client, 'connect')]);
    return [client, accepted];
  }

  atEnd(action: () => void): void {
    this.#toEnd.push(action);
  }

  end(): void {
    for (const action of this.#toEnd.reverse()) action();
  }
}

interface Limits {
  /** Platforms on which the test has no meaning. */
  not?: readonly NodeJS.Platform[];
}

export function both(
  title: string,
  run: (t: ExecutionContext, place: Place) => Promise<void>,
  { not = [] }: Limits = {},
): void {
  const declare = not.includes(process.platform) ? test.skip : test;
  for (const net of Object.values(tried)) {
    declare(`${title} [${net === ours ? 'ferronet' : 'node:net'}]`, async (t) => {
      const place = new Place(net);
      try {
        await run(t, place);
      } finally {
        place.end();
      }
    });
  }
}

/** Starts any server on a port of 127.0.0.1, and answers the port. */
export async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Waits for `close`, whatever errors come before it. */
export function closed(emitter: EventEmitter): Promise<void> {
  return new Promise((resolve) => void emitter.once('close', () => resolve()));
}

export interface Resolvers<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
}

/** A promise to be resolved from outside. */
export function withResolvers<T>(): Resolvers<T> {
  let resolve: ((value: T) => void) | undefined;
  const promise = new Promise<T>((given) => (resolve = given));
  return { promise, resolve: resolve as unknown as (value: T) => void };
}

/** Bytes in which each position can be distinguished from the next ones. */
export function numbered(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE((at * 2_654_435_761) % 4_294_967_296, at);
  return bytes;
}
