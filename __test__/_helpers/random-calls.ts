// Plays random calls of public methods on sockets and servers, with right and wrong arguments, in any order and also from
// within events. Runs as a program: `node build/_helpers/random-calls.js <module> <seed>` prints what was thrown and ends
// by itself, when everything it made is destroyed.
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Net } from './implementations.js';
import * as random from './random-values.js';

/** What a run printed. */
export interface Played {
  /** Errors of calls, and uncaught errors, without those that carry a code of Node's or of the system. */
  thrown: string[];
  uncaught: string[];
  /** Sockets that were open at the end and not at the beginning. Linux only. */
  leaked: number;
}

type Loose = Record<string | symbol, (...args: unknown[]) => unknown>;
type Arguments = (dice: random.Dice) => unknown[];

const CALLS = 400;

const none: Arguments = () => [];

const SOCKET_CALLS: Record<string, Arguments> = {
  write: random.writeArguments,
  end: (dice) => (dice.rarely(2) ? [] : random.writeArguments(dice)),
  destroy: (dice) => (dice.rarely(2) ? [] : [new Error('destroyed')]),
  destroySoon: none,
  resetAndDestroy: none,
  pause: none,
  resume: none,
  read: random.numbers,
  unshift: (dice) => [dice.one<unknown>(['x', Buffer.from('x'), null, 1])],
  setEncoding: (dice) => [dice.one<unknown>(['utf8', 'hex', 'nope', undefined])],
  setTimeout: random.numbers,
  setNoDelay: random.odd,
  setKeepAlive: random.numbers,
  setTypeOfService: random.numbers,
  getTypeOfService: none,
  cork: none,
  uncork: none,
  address: none,
  ref: none,
  unref: none,
};

const SERVER_CALLS: Record<string, Arguments> = {
  close: (dice) => (dice.rarely(2) ? [] : [() => {}]),
  address: none,
  getConnections: (dice) => [dice.rarely(4) ? 'x' : () => {}],
  ref: none,
  unref: none,
};

const GETTERS = ['readyState', 'pending', 'bufferSize', 'bytesRead', 'bytesWritten', 'localPort', 'remoteAddress'];

const EVENTS = ['connectionAttempt', 'connect', 'ready', 'data', 'end', 'finish', 'drain', 'timeout', 'error', 'close'];

class Player {
  readonly #net: Net;
  readonly #dice: random.Dice;
  readonly #directory: string = mkdtempSync(join(tmpdir(), 'net-'));
  readonly #paths: string[] = ['a', 'b', 'no/c'].map((name) => join(this.#directory, name));
  readonly #sockets: Socket[] = [];
  readonly #servers: Server[] = [];
  readonly #thrown = new Set<string>();
  #left = CALLS;

  constructor(net: Net, seed: number) {
    this.#net = net;
    this.#dice = new random.Dice(seed);
  }

  play(done: (thrown: string[]) => void): void {
    for (let burst = this.#dice.below(8); burst >= 0; burst -= 1) this.#step();
    if (this.#left > 0) {
      setImmediate(() => this.play(done));
      return;
    }
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) server.close();
    rmSync(this.#directory, { recursive: true, force: true });
    done([...this.#thrown]);
  }

  /** One call, or a new socket or server to call. */
  #step(): void {
    this.#left -= 1;
    if (this.#servers.length < 3 && this.#dice.rarely(4)) this.#makeServer();
    else if (this.#sockets.length < 12 && this.#dice.rarely(4)) this.#makeSocket();
    else if (this.#servers.length > 0 && this.#dice.rarely(4)) this.#callServer(this.#dice.one(this.#servers));
    else if (this.#sockets.length > 0) this.#callSocket(this.#dice.one(this.#sockets));
  }

  #try(call: () => unknown): void {
    try {
      call();
    } catch (error) {
      this.#thrown.add(String(error));
    }
  }

  #makeSocket(): void {
    const controller = new AbortController();
    if (this.#dice.rarely(4)) setImmediate(() => controller.abort());
    this.#try(() => this.#keep(new this.#net.Socket(random.socketOptions(this.#dice, controller.signal) as never)));
  }

  #makeServer(): void {
    const server = this.#net.createServer({
      allowHalfOpen: this.#dice.rarely(2),
      pauseOnConnect: this.#dice.rarely(3),
    });
    server.on('connection', (socket) => this.#keep(socket));
    for (const event of ['listening', 'connection', 'error', 'close', 'drop'])
      server.on(event, () => this.#maybeStep());
    this.#servers.push(server);
    this.#callServer(server, 'listen');
  }

  // Also the sockets that come when all is over end with the rest.
  #keep(socket: Socket): void {
    for (const event of EVENTS) socket.on(event, () => this.#maybeStep());
    if (this.#left <= 0) socket.destroy();
    else this.#sockets.push(socket);
  }

  // From within an event, at times.
  #maybeStep(): void {
    if (this.#left > 0 && this.#dice.rarely(3)) this.#step();
  }

  #callSocket(socket: Socket): void {
    const dice = this.#dice;
    const loose = socket as unknown as Loose;
    if (dice.rarely(4))
      this.#try(() => loose['connect']?.(...random.connectArguments(dice, this.#ports(), this.#paths)));
    const name = dice.one(Object.keys(SOCKET_CALLS));
    this.#try(() => loose[name]?.(...(SOCKET_CALLS[name]?.(dice) ?? [])));
    this.#try(() => loose[dice.one(GETTERS)]);
  }

  #callServer(server: Server, name: string = this.#dice.one([...Object.keys(SERVER_CALLS), 'listen'])): void {
    const dice = this.#dice;
    if (dice.rarely(8)) server.maxConnections = dice.below(3);
    const args =
      name === 'listen'
        ? random.listenArguments(dice, this.#ports().slice(1), this.#paths)
        : (SERVER_CALLS[name] as Arguments)(dice);
    this.#try(() => (server as unknown as Loose)[name]?.(...args));
  }

  #ports(): number[] {
    const ports = this.#servers.map((server) => (server.address() as AddressInfo | null)?.port);
    return [1, ...ports.filter((port) => port !== undefined)];
  }
}

const DESCRIPTORS = '/proc/self/fd';

function openSockets(): number {
  if (process.platform !== 'linux') return 0;
  const targets = readdirSync(DESCRIPTORS).map((descriptor) => {
    try {
      return readlinkSync(join(DESCRIPTORS, descriptor));
    } catch {
      return 'the one of this directory';
    }
  });
  return targets.filter((target) => target.startsWith('socket:')).length;
}

export function main(name: string, seed: number): void {
  const net = require(name) as Net;
  const played: Played = { thrown: [], uncaught: [], leaked: 0 };
  process.on('uncaughtException', (error) => played.uncaught.push(error.stack ?? String(error)));
  let before = 0;
  // What a first connection brings to stay, such as the thread of a resolver, is no leak.
  const warmUp = net.createServer().listen(0, '127.0.0.1', () => {
    const client = net.connect((warmUp.address() as AddressInfo).port, 'localhost');
    client.on('error', () => {});
    client.on('close', () => warmUp.close(() => setImmediate(start)));
    client.destroySoon();
  });
  const start = (): void => {
    before = openSockets();
    new Player(net, seed).play((thrown) => {
      played.thrown = thrown;
      // Connections may still be on their way to a server that has closed.
      setTimeout(() => void (played.leaked = openSockets() - before), 50);
    });
  };
  process.on('exit', () => console.log(JSON.stringify(played)));
}

if (require.main === module) main(process.argv[2] as string, Number(process.argv[3]));
