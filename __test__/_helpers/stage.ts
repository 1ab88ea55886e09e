// Where a scenario plays: one implementation, one recorder, one temporary directory, and everything that was opened,
// to be closed at the end whatever happened. Nothing here sleeps; a scenario waits for events.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo, Server, ServerOpts, Socket, SocketConstructorOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Net } from './implementations.js';
import { localPath } from './local-path.js';
import { atMost } from './patience.js';
import { type Lanes, type Mark, Recorder } from './recorder.js';

type Emitter = Socket | Server;

export class Stage {
  readonly net: Net;
  readonly log: Recorder = new Recorder();
  readonly #directory: string;
  readonly #closed = new Map<Emitter, Promise<unknown>>();
  readonly #accepted: Socket[] = [];
  #acceptedOne: (() => void) | undefined;

  private constructor(net: Net, directory: string) {
    this.net = net;
    this.#directory = directory;
    const pipe = localPath(directory, '');
    // In messages, a backslash is shown as two.
    this.log.name(JSON.stringify(pipe).slice(1, -1), '<pipe>-');
    this.log.name(pipe, '<pipe>-');
    // The same text where pipes are files, and this is its name.
    this.log.name(directory, '<tmp>');
  }

  static async open(net: Net): Promise<Stage> {
    return new Stage(net, await mkdtemp(join(tmpdir(), 'net-')));
  }

  /** A name of this stage's own for a local socket: in its temporary directory, where such sockets are files. */
  path(name: string): string {
    return localPath(this.#directory, name);
  }

  /** A socket that is recorded from its birth. */
  socket(lane = 'C', options: SocketConstructorOpts & { data?: boolean } = {}): Socket {
    const { data, ...constructorOptions } = options;
    return this.adopt(lane, new this.net.Socket(constructorOptions), data);
  }

  adopt(lane: string, socket: Socket, data = true): Socket {
    return this.#keep(this.log.socket(lane, socket, { data }));
  }

  /** A server that is recorded from its birth; the sockets it accepts are recorded as lanes A, A2 … */
  server(lane = 'S', options: ServerOpts & { data?: boolean } = {}, onConnection?: (socket: Socket) => void): Server {
    const { data = true, ...serverOptions } = options;
    const server = new this.net.Server(serverOptions, (socket: Socket) => {
      const count = this.#accepted.push(socket);
      this.adopt(count === 1 ? 'A' : `A${count}`, socket, data);
      this.#acceptedOne?.();
      onConnection?.(socket);
    });
    return this.#keep(this.log.server(lane, server));
  }

  /** A server on a port of 127.0.0.1 that is shown as PORT. Its `listening` is part of the log. */
  async listening(options?: ServerOpts & { data?: boolean }, onConnection?: (socket: Socket) => void): Promise<Server> {
    const server = this.server('S', options, onConnection);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.log.name(this.portOf(server), 'PORT');
    return server;
  }

  portOf(server: Server): number {
    return (server.address() as AddressInfo).port;
  }

  /** A recorded socket on its way to `server`. */
  connect(server: Server, options: SocketConstructorOpts & { data?: boolean } = {}): Socket {
    return this.socket('C', options).connect(this.portOf(server), '127.0.0.1');
  }

  /** The first accepted socket, when there is one. */
  async accepted(): Promise<Socket> {
    if (this.#accepted.length === 0) await new Promise<void>((resolve) => (this.#acceptedOne = resolve));
    return this.#accepted[0] as Socket;
  }

  /** Waits for an event that is still to come. Does not mind `error`, which is in the log anyway. */
  until(emitter: Emitter, event: string): Promise<void> {
    return new Promise((resolve) => void emitter.once(event, () => resolve()));
  }

  /** Waits until all of these have emitted `close`, which may have been before. Nothing can follow it. */
  async closed(...emitters: Emitter[]): Promise<void> {
    await Promise.all(emitters.map((emitter) => this.#closed.get(emitter)));
  }

  /** Closes the server and waits for the `close` of it and of all sockets. The usual end of a scenario. */
  async finish(server?: Server): Promise<void> {
    server?.close();
    await Promise.all(this.#closed.values());
  }

  call<T>(lane: string, label: string, action: () => T, ...marks: Mark[]): T | undefined {
    return this.log.call(lane, label, action, ...marks);
  }

  /** Destroys and closes what is left, and removes the directory. */
  async close(): Promise<void> {
    for (const emitter of this.#closed.keys()) {
      emitter.removeAllListeners();
      emitter.on('error', () => {});
      if ('listen' in emitter) emitter.close();
      else emitter.destroy();
    }
    await rm(this.#directory, { recursive: true, force: true });
  }

  #keep<T extends Emitter>(emitter: T): T {
    this.#closed.set(emitter, new Promise((resolve) => void emitter.once('close', resolve)));
    return emitter;
  }
}

/** What happens to the sockets and servers of one implementation; it ends when nothing more is to be seen. */
export type Scenario = (stage: Stage) => Promise<void>;

// A scenario that waits for what never comes is a failure with a log, not a test run that hangs.
const LIMIT = atMost(15_000);

/** Plays a scenario on an implementation, closes what it left open, and gives its log. */
export async function play(net: Net, scenario: Scenario): Promise<Lanes> {
  const stage = await Stage.open(net);
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`The scenario came to no end:\n${stage.log}`)), LIMIT);
  });
  try {
    await Promise.race([scenario(stage), limit]);
    return structuredClone(stage.log.lanes());
  } finally {
    clearTimeout(timer);
    await stage.close();
  }
}
