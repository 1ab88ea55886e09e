// Two connections with a program between them: client ⇄ front, back ⇄ server. `front` and `back` are sockets of the
// implementation under test, the other ends are node:net's (ferronet's where there is no Node). There is no listener here for
// the events that the recorder of a stage records, because a pipe whose data is observed is not a relay.
import { once } from 'node:events';
import type { AddressInfo, Server, ServerOpts, Socket } from 'node:net';

import { describeError } from './describe.js';
import { type Net, ours, peer } from './implementations.js';
import type { Lanes } from './recorder.js';

export interface BetweenOptions extends ServerOpts {
  nativeRelay?: boolean;
}

const EVENTS = ['pipe', 'unpipe', 'end', 'finish', 'timeout', 'error', 'close'] as const;

interface Handle {
  constructor: { relays: () => number };
  close: () => void;
}

/** The number of relays in the reactor, by the class of its handles. */
export function relays(): number {
  const { _createServerHandle } = ours as unknown as { _createServerHandle: (address: string, port: number) => Handle };
  const handle = _createServerHandle('127.0.0.1', 0);
  handle.close();
  return handle.constructor.relays();
}

/** Waits until it has so many. The pipes of other implementations never become relays. */
export async function untilRelays(net: Net, count: number): Promise<void> {
  for (let tries = 0; net === ours && relays() !== count; tries++) {
    if (tries > 200) throw new Error(`${relays()} relays, not ${count}`);
    await pause(5);
  }
}

export function pause(msecs: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, msecs));
}

async function acceptOne(net: Net, options: object): Promise<[server: Server, accepted: Promise<Socket>]> {
  const server = net.createServer(options as ServerOpts);
  const accepted = new Promise<Socket>((resolve) => void server.once('connection', resolve));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return [server, accepted];
}

export class Between {
  readonly net: Net;
  readonly lanes: Lanes;
  readonly client: Socket;
  readonly front: Socket;
  readonly back: Socket;
  readonly server: Socket;
  /** What has arrived at the outer ends. */
  readonly got: { client: Buffer[]; server: Buffer[] } = { client: [], server: [] };

  private constructor(net: Net, lanes: Lanes, sockets: readonly [Socket, Socket, Socket, Socket]) {
    this.net = net;
    this.lanes = lanes;
    [this.client, this.front, this.back, this.server] = sockets;
    this.#watch('front', this.front);
    this.#watch('back', this.back);
    for (const end of ['client', 'server'] as const) {
      this[end].on('data', (chunk: Buffer) => this.got[end].push(chunk));
      this[end].on('error', () => {});
    }
  }

  static async open(net: Net, lanes: Lanes, options: BetweenOptions = {}): Promise<Between> {
    const ends = { allowHalfOpen: options.allowHalfOpen ?? false };
    const [outer, server] = await acceptOne(peer, ends);
    const [inner, front] = await acceptOne(net, options);
    const at = (listening: Server) => ({ port: (listening.address() as AddressInfo).port, host: '127.0.0.1' });
    const back = net.connect({ ...at(outer), ...options });
    const client = peer.connect({ ...at(inner), ...ends });
    const connected = Promise.all([once(back, 'connect'), once(client, 'connect')]);
    const sockets = [client, await front, back, await server] as const;
    await connected;
    outer.close();
    inner.close();
    return new Between(net, lanes, sockets);
  }

  note(lane: string, text: string): void {
    (this.lanes[lane] ??= []).push(text);
  }

  #watch(lane: string, socket: Socket): void {
    for (const event of EVENTS) {
      socket.on(event, (argument: unknown) => {
        const what =
          argument instanceof Error
            ? describeError(argument)
            : typeof argument === 'boolean'
              ? String(argument)
              : argument === undefined
                ? ''
                : 'stream';
        this.note(lane, `${event}(${what}) ${this.state(socket)}`);
      });
    }
  }

  state(socket: Socket): string {
    const { bytesRead, bytesWritten, destroyed, readable, writable, readableFlowing, writableLength } = socket;
    const flags = { destroyed, readable, writable, readableFlowing, writableLength };
    return `${bytesRead}/${bytesWritten} ${JSON.stringify(flags)}`;
  }

  /** Counts what has been listened for. */
  listeners(lane: string, socket: Socket): void {
    this.note(lane, ['data', 'readable', 'end', 'unpipe', 'pipe'].map((e) => `${e}=${socket.listenerCount(e)}`).join());
  }

  text(end: 'client' | 'server'): string {
    return Buffer.concat(this.got[end]).toString();
  }

  /** Sends `text` into one end and waits until the other one has it. */
  async send(
    from: 'client' | 'server',
    text: string,
    to: 'client' | 'server' = from === 'client' ? 'server' : 'client',
  ) {
    const before = Buffer.concat(this.got[to]).length;
    this[from].write(text);
    while (Buffer.concat(this.got[to]).length < before + text.length) await once(this[to], 'data');
  }

  /** Sends until the pipe from this end is a relay, where it can become one. */
  async warm(from: 'client' | 'server', count: number, to?: 'client' | 'server', messages = 4): Promise<void> {
    for (let n = 0; n < messages; n++) await this.send(from, `${n}`, to);
    await untilRelays(this.net, count);
  }

  /** Pipes both ways, and waits until both are relays. */
  async proxy(): Promise<void> {
    this.front.pipe(this.back);
    this.back.pipe(this.front);
    await this.warm('client', 1);
    await this.warm('server', 2);
  }

  async closed(...sockets: Socket[]): Promise<void> {
    await Promise.all(
      sockets.map((socket) => socket.closed || new Promise((resolve) => void socket.once('close', resolve))),
    );
  }

  close(): void {
    for (const socket of [this.client, this.front, this.back, this.server]) {
      if (socket.listenerCount('error') === 0) socket.on('error', () => {});
      socket.destroy();
    }
  }
}
