// A cluster whose primary is the test and plain Node, for either scheduling policy. Workers run cluster-worker.ts.
import cluster, { type Address, type Worker } from 'node:cluster';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo, ListenOptions } from 'node:net';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import type { Order, Told } from './cluster-worker.js';

export type Policy = 'rr' | 'none';
export type Target = { port: number; host?: string } | { path: string };

/** A worker, and its reports that no test has awaited yet. */
export class Member {
  readonly worker: Worker;
  /** What happened to it, as the primary sees it, in order. */
  readonly log: string[] = [];
  readonly listening: Address[] = [];
  readonly #answers: unknown[] = [];
  #wake: (() => void) | undefined;

  constructor(worker: Worker) {
    this.worker = worker;
    worker.on('message', (told: Told) => {
      if ('event' in told) this.log.push(told.event);
      else this.#answers.push(told.answer);
      this.#wake?.();
    });
    worker.on('listening', (address) => void this.listening.push(address));
    worker.on('disconnect', () => void this.log.push('disconnect'));
    worker.on('exit', (code, signal) => {
      this.log.push(`exit ${code ?? signal}`);
      this.#wake?.();
    });
  }

  get pid(): number {
    return this.worker.process.pid ?? 0;
  }

  tell(order: Order): void {
    this.worker.send(order);
  }

  /** Waits for the next answer. */
  async answer(): Promise<unknown> {
    while (this.#answers.length === 0) {
      if (this.worker.isDead()) throw new Error(`no answer: ${this.log.join(', ')}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#answers.shift();
  }

  async ask(order: Order): Promise<unknown> {
    this.tell(order);
    return this.answer();
  }

  /** The address, or the error. */
  listen(options: ListenOptions, maxConnections?: number): Promise<unknown> {
    return this.ask({ do: 'listen', options, ...(maxConnections === undefined ? {} : { maxConnections }) });
  }

  /** Waits until this has happened. */
  async until(event: string): Promise<void> {
    while (!this.log.includes(event)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        for (const each of ['disconnect', 'exit']) this.worker.once(each, () => setImmediate(resolve));
      });
    }
  }
}

/** A client that knows which process serves it. */
export class Client {
  readonly socket: Socket;
  pid = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  static async to(target: Target): Promise<Client> {
    const socket = connect({ host: '127.0.0.1', ...target });
    socket.on('error', () => {});
    const client = new Client(socket);
    client.pid = Number((await client.receive(';')).slice(0, -1));
    return client;
  }

  /** Reads up to this text. */
  async receive(end: string): Promise<string> {
    let text = '';
    while (!text.endsWith(end)) {
      const chunk = this.socket.read() as Buffer | null;
      if (chunk !== null) text += chunk.toString();
      else if (this.socket.readableEnded || this.socket.destroyed) throw new Error(`ended after '${text}'`);
      else await Promise.race([once(this.socket, 'readable'), once(this.socket, 'close')]);
    }
    return text;
  }

  async echo(text: string): Promise<string> {
    this.socket.write(`${text};`);
    return this.receive(';');
  }

  async closed(): Promise<void> {
    this.socket.resume();
    if (!this.socket.closed) await once(this.socket, 'close');
  }
}

export class Cluster {
  readonly net: string;
  readonly #members: Member[] = [];
  readonly #clients: Client[] = [];
  readonly #directory: string = mkdtempSync(join(tmpdir(), 'cluster-'));

  constructor(net: string) {
    this.net = net;
    cluster.setupPrimary({ exec: join(__dirname, 'cluster-worker.js'), execArgv: [] });
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  async fork(): Promise<Member> {
    const member = new Member(cluster.fork({ NET: this.net }));
    this.#members.push(member);
    await once(member.worker, 'online');
    return member;
  }

  pair(): Promise<[Member, Member]> {
    return Promise.all([this.fork(), this.fork()]);
  }

  async connect(target: Target): Promise<Client> {
    const client = await Client.to(target);
    this.#clients.push(client);
    return client;
  }

  async end(): Promise<void> {
    for (const { socket } of this.#clients) socket.destroy();
    await Promise.all(
      this.#members.map(async ({ worker }) => {
        if (worker.isDead()) return;
        worker.process.kill('SIGKILL');
        await once(worker, 'exit');
      }),
    );
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

export const portOf = (address: unknown): number => (address as AddressInfo).port;

/** One test with workers on node:net and with workers on ferronet. One after the other: a process has one cluster. */
export function clustered(
  policy: Policy,
  title: string,
  run: (t: ExecutionContext, place: Cluster) => Promise<void>,
  nets: readonly string[] = ['node:net', 'ferronet'],
): void {
  cluster.schedulingPolicy = policy === 'rr' ? cluster.SCHED_RR : cluster.SCHED_NONE;
  for (const net of nets) {
    test.serial(`${policy}: ${title} [${net}]`, async (t) => {
      const place = new Cluster(net);
      try {
        await run(t, place);
      } finally {
        await place.end();
      }
    });
  }
}

/** As `clustered`: pipes of Windows are not shared with workers, and ports only through the primary. */
export const onUnix: typeof clustered =
  process.platform === 'win32' ? (policy, title) => void test.skip(`${policy}: ${title}`, () => {}) : clustered;
