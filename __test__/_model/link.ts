// Plays one link of a program: opens its connections, runs its steps, waits where the program joins, ends what is left.
import type { AddressInfo, Server, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { finished } from 'node:stream';

import type { Net } from '../_helpers/implementations.js';
import { localPath } from '../_helpers/local-path.js';
import { Flow } from './content.js';
import { checkEnd, checkFlow, checkHop, checkSocket, type Hop } from './invariants.js';
import { lanesOf } from './lanes.js';
import { busy, type Moments, turn, wait } from './moments.js';
import type { Peer } from './peer.js';
import type * as program from './program.js';
import { Between } from './proxies.js';
import { Reader } from './readers.js';
import { end, pump, write } from './senders.js';
import { type Notebook, Watched } from './watched.js';

type Action = program.Action;
type End = program.End;
type Way = program.Way;

/** What the links of a program have in common. */
export interface Surroundings {
  net: Net;
  folder: string;
  moments: Moments;
  peer: () => Peer;
  violation: (text: string) => void;
  /** Milliseconds without an event after which what is waited for will not come. */
  limit: number;
}

const hasIPv6: boolean = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

class Stalled extends Error {}

export class Link {
  readonly #link: program.Link;
  readonly #name: string;
  readonly #around: Surroundings;
  readonly #notebook: Notebook;
  readonly #flows: Record<Way, Flow>;
  readonly #readers: Record<End, Reader>;
  readonly #sockets = new Map<string, Watched>();
  readonly #proxies: (Between | undefined)[] = [];
  readonly #servers: Server[] = [];
  readonly #serversClosed: number[] = [];
  readonly #abort = new AbortController();
  /** Sends that go on beside the steps. */
  #pumps = 0;
  #wake: (() => void) | undefined;
  /** Of the last event. */
  #last = performance.now();

  constructor(link: program.Link, index: number, around: Surroundings) {
    this.#link = link;
    this.#name = String(index);
    this.#around = around;
    this.#notebook = {
      violation: (text) => around.violation(`link ${index} ${text}`),
      changed: () => {
        this.#last = performance.now();
        this.#wake?.();
      },
    };
    const up = new Flow(index * 71_993 + 1, link.text === true);
    // Who echoes sends what it has got.
    const down = this.#isEcho ? up : new Flow(index * 71_993 + 40_009, link.text === true);
    this.#flows = { up, down };
    this.#readers = { c: new Reader(link.reading.c, down), s: new Reader(link.reading.s, up) };
  }

  async play(): Promise<void> {
    try {
      await this.#open();
      if (this.#link.ordered) await this.#join();
      for (const steps of this.#link.phases) {
        await this.#run(steps);
        if (this.#link.ordered) await this.#join();
      }
      await this.#close();
      this.#check();
    } catch (error) {
      if (!(error instanceof Stalled)) throw error;
      this.#notebook.violation(`stalled: ${error.message}\n${this}`);
    } finally {
      this.#servers.forEach((server) => server.listening && server.close());
      this.#sockets.forEach(({ socket }) => socket.destroy());
    }
  }

  /** What is compared with another implementation. */
  lanes(): program.Lanes {
    const { up, down } = this.#flows;
    const isWhole = up.received === up.sent && down.received === down.sent;
    return lanesOf(this.#link, this.#name, [...this.#sockets.values()], isWhole);
  }

  toString(): string {
    const rows = [...this.#sockets.values()].map((watched) => `  ${watched.name}: ${watched}`);
    const { up, down } = this.#flows;
    const flows = `  up ${up.received} of ${up.sent}, down ${down.received} of ${down.sent}, pumps ${this.#pumps}`;
    const servers = `  servers: ${this.#servers.length}, closed: ${this.#serversClosed.join(' ')}`;
    return [...rows, flows, servers].join('\n');
  }

  get #isEcho(): boolean {
    return this.#link.reading.s.style === 'echo';
  }

  /** Resolves when the condition holds, which is looked at after each event. */
  async #until(what: string, condition: () => boolean): Promise<void> {
    this.#last = performance.now();
    while (!condition()) {
      const { limit } = this.#around;
      const left = this.#last + limit - performance.now();
      if (left <= 0) throw new Stalled(`${what}: nothing has happened for ${limit} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async #open(): Promise<void> {
    const { transports, early } = this.#link;
    let target: object = {};
    for (let hop = transports.length - 1; hop >= 0; hop--) target = await this.#listen(hop, target);
    const { signal, ...options } = this.#link.client;
    const onread = this.#readers.c.onread();
    const client = this.#around.net.connect({
      ...options,
      ...target,
      ...(onread && { onread }),
      ...(signal && { signal: this.#abort.signal }),
    } as never);
    this.#watch('c', client);
    await this.#run(early);
    await this.#until('connecting', () => {
      const c = this.#sockets.get('c') as Watched;
      return (c.counts.connect > 0 && this.#sockets.has('s')) || c.isOver;
    });
  }

  /** Starts the server of a hop, which leads on to `next`, and answers where it is. */
  async #listen(hop: number, next: object): Promise<object> {
    const { net, folder, peer } = this.#around;
    const { server: options, proxies, transports } = this.#link;
    const proxy = proxies[hop];
    const { allowHalfOpen, ...others } = proxy ?? { allowHalfOpen: false };
    const { highWaterMark } = others as { highWaterMark?: number };
    const shared = { allowHalfOpen, ...(highWaterMark !== undefined && { highWaterMark }) };
    const server = net.createServer((proxy ? shared : options) as never, (socket: Socket) => {
      if (proxy === undefined) {
        this.#watch('s', socket);
        return;
      }
      const front = this.#watch(`f${hop}`, socket);
      const back = this.#watch(`b${hop}`, net.connect({ ...shared, ...next } as never));
      this.#proxies[hop] = new Between(proxy, front, back);
    });
    const index = this.#servers.push(server) - 1;
    server.on('close', () => {
      this.#serversClosed.push(index);
      this.#notebook.changed();
    });
    const transport = transports[hop];
    if (transport === 'unix') {
      const path = localPath(folder, `${this.#name}-${hop}`);
      server.listen(path);
      await this.#until('listening', () => server.listening);
      return { path };
    }
    const host = transport === 'tcp6' && hasIPv6 ? '::1' : '127.0.0.1';
    server.listen(0, host, () => this.#notebook.changed());
    await this.#until('listening', () => server.listening);
    const { port } = server.address() as AddressInfo;
    return transport === 'peer' ? { host, port: await peer().to(port) } : { host, port };
  }

  #watch(name: string, socket: Socket): Watched {
    const watched = new Watched(name, socket, this.#notebook);
    this.#sockets.set(name, watched);
    // Checked at the event: what the peer does later is no excuse.
    socket.on('end', () => this.#hopsTo(name).forEach(checkEnd));
    socket.on('error', () => {});
    if (name === 'c' || name === 's') {
      if (this.#link.finished?.includes(name)) finished(socket, watched.callback('finished'));
      this.#readers[name].attach(watched, name === 's' && this.#link.server.pauseOnConnect === true);
    }
    watched.handedByPeer = () => {
      const [hop] = this.#hopsTo(name);
      return hop?.direct && (hop.from.name === 'c' || (hop.from.name === 's' && !this.#isEcho)) ? hop.from.handed : 0;
    };
    this.#notebook.changed();
    return watched;
  }

  /** The hops of a direction, as far as their sockets are there. */
  #hops(way: Way): Hop[] {
    const count = this.#link.proxies.length;
    const names = ['c', ...Array.from({ length: count }, (_, n) => [`f${n}`, `b${n}`]).flat(), 's'];
    const hops: Hop[] = [];
    for (let at = 0; at < names.length; at += 2) {
      const near = this.#sockets.get(names[at] as string);
      const far = this.#sockets.get(names[at + 1] as string);
      if (!near || !far) continue;
      const transport = this.#link.transports[at / 2];
      const kind = { direct: transport !== 'peer', local: transport === 'unix' };
      hops.push(way === 'up' ? { from: near, to: far, ...kind } : { from: far, to: near, ...kind });
    }
    return way === 'up' ? hops : hops.reverse();
  }

  #hopsTo(name: string): Hop[] {
    return [...this.#hops('up'), ...this.#hops('down')].filter(({ to }) => to.name === name);
  }

  async #run(steps: readonly program.Step[]): Promise<void> {
    for (const { at = 'now', ...action } of steps) {
      const called = this.#around.moments.at(at, () => this.#call(action as Action));
      if (called) await called;
      await this.#waitFor(action as Action);
    }
  }

  // oxlint-disable-next-line complexity -- one case an action
  #call(action: Action): void {
    switch (action.do) {
      case 'write':
        return this.#onSocket(action.on, (watched) => write(watched, this.#flowFrom(action.on), action));
      case 'pump':
        return this.#onSocket(action.on, (watched) => void this.#pump(watched, action));
      case 'end':
        return this.#onSocket(action.on, (watched) => end(watched, this.#flowFrom(action.on), action));
      case 'destroy':
        return this.#onSocket(
          action.on,
          ({ socket }) => void socket.destroy(action.error ? new Error('on purpose') : undefined),
        );
      case 'reset':
        return this.#onSocket(action.on, (watched) => watched.reset());
      case 'pause':
      case 'resume':
        return this.#readers[action.on][action.do]();
      case 'cork':
      case 'uncork':
        return this.#onSocket(action.on, ({ socket }) => socket[action.do]());
      case 'encoding':
        return this.#readers[action.on].setEncoding(action.encoding);
      case 'timeout':
      case 'idle':
        return this.#onSocket(action.on, ({ socket }) => void socket.setTimeout(action.ms));
      case 'unpipe':
      case 'repipe':
        return this.#proxies[action.proxy]?.[action.do](action.way);
      case 'abort':
        return this.#abort.abort();
      case 'close':
        return this.#servers.forEach((server) => server.listening && server.close());
      case 'busy':
        return busy(action.ms);
      case 'wait':
        return;
    }
  }

  async #waitFor(action: Action): Promise<void> {
    if (action.do === 'wait') await wait(action.ms);
    if (action.do !== 'idle') return;
    const watched = this.#sockets.get(action.on);
    if (watched === undefined) return;
    const before = watched.counts.timeout;
    await this.#until('a timeout', () => watched.isClosed || watched.counts.timeout > before);
    watched.socket.setTimeout(0);
    if (action.destroy) watched.socket.destroy();
  }

  #onSocket(name: string, action: (watched: Watched) => void): void {
    const watched = this.#sockets.get(name);
    if (watched) action(watched);
  }

  #flowFrom(name: End): Flow {
    return this.#flows[name === 'c' ? 'up' : 'down'];
  }

  async #pump(watched: Watched, action: Action & { do: 'pump' }): Promise<void> {
    this.#pumps++;
    await pump(watched, this.#flowFrom(action.on), action);
    this.#pumps--;
    this.#notebook.changed();
  }

  /** Waits until all that is under way has arrived, as far as it is read. */
  async #join(): Promise<void> {
    await this.#until('arriving', () => this.#pumps === 0 && this.#hasArrived('up') && this.#hasArrived('down'));
    await turn();
    await turn();
  }

  #hasArrived(way: Way): boolean {
    const hops = this.#hops(way);
    const isBroken = hops.some(({ from, to }) => from.socket.destroyed || to.socket.destroyed);
    const reader = this.#readers[way === 'up' ? 's' : 'c'];
    if (this.#isEcho && !this.#readers.c.isReading) return true;
    if (!reader.isReading) return true;
    if (this.#link.proxies.some((_, n) => this.#proxies[n]?.isUnpiped(way))) return true;
    // What has ended here is over there.
    if (!hops.every(({ from, to }) => to.isOver || !(from.socket.destroyed || from.socket.writableEnded))) return false;
    if (isBroken) return true;
    const flow = this.#flows[way];
    const first = hops[0]?.from as Watched;
    if (first.socket.writableCorked > 0) return true;
    return flow.received === flow.sent && (first.pending === 0 || first.socket.writableLength === 0);
  }

  /** Reads everything, ends what has not ended, and waits for all to close. */
  async #close(): Promise<void> {
    for (const end of ['c', 's'] as const) {
      this.#readers[end].readOn();
      this.#onSocket(end, (watched) => {
        while (watched.socket.writableCorked > 0) watched.socket.uncork();
      });
    }
    this.#proxies.forEach((proxy) => proxy?.readOn());
    await this.#until('sending', () => this.#pumps === 0);
    for (const end of ['c', 's'] as const)
      this.#onSocket(end, ({ socket }) => void (socket.writable && !(end === 's' && this.#isEcho) && socket.end()));
    this.#servers.forEach((server) => server.listening && server.close());
    await this.#until(
      'closing',
      () =>
        this.#serversClosed.length === this.#servers.length &&
        [...this.#sockets.values()].every(({ isClosed }) => isClosed),
    );
    await turn();
    await turn();
  }

  #check(): void {
    for (const watched of this.#sockets.values()) checkSocket(watched);
    for (const hop of [...this.#hops('up'), ...this.#hops('down')]) checkHop(hop);
    if (this.#isEcho) {
      checkFlow([...this.#hops('up'), ...this.#hops('down')], this.#flows.up);
      return;
    }
    checkFlow(this.#hops('up'), this.#flows.up);
    checkFlow(this.#hops('down'), this.#flows.down);
  }
}
