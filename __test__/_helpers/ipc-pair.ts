// A process and its child, each of which uses node:net or ferronet, for sending handles between the two.
import * as processes from 'node:child_process';
import type { ChildProcess, ForkOptions, SendHandle } from 'node:child_process';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { listening } from './both.js';
import { type Net, node, ours } from './implementations.js';
import type { Errand, Report } from './ipc-child.js';

export class Pair {
  readonly net: Net;
  readonly child: ChildProcess;
  readonly #toEnd: (() => void)[] = [];
  readonly #reports: [Report, unknown][] = [];
  #wake: (() => void) | undefined;

  constructor(parent: Net, childNet: string, options: ForkOptions) {
    this.net = parent;
    const env = { ...process.env, NET: childNet };
    this.child = processes.fork(join(__dirname, 'ipc-child.js'), { env, execArgv: [], ...options });
    this.child.on('error', () => {});
    this.child.on('message', (report: Report, handle: unknown) => {
      this.#reports.push([report, handle]);
      this.#wake?.();
    });
  }

  send(errand: Errand, handle?: unknown, options?: { keepOpen: boolean }): boolean {
    return this.child.send(errand, handle as SendHandle, options);
  }

  /** The next report of the child. */
  async report(): Promise<[Report, unknown]> {
    while (this.#reports.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#reports.shift() as [Report, unknown];
  }

  /** Hands `errand` over, and answers of what make the child finds the handle. */
  async hand(errand: Errand, handle?: unknown, options?: { keepOpen: boolean }): Promise<Report> {
    this.send(errand, handle, options);
    return (await this.report())[0];
  }

  /** A connection: the client, which is node:net's, and what the server of the parent has accepted. */
  async connection(net: Net = this.net): Promise<[client: Socket, accepted: Socket, server: Server]> {
    const server = net.createServer({ pauseOnConnect: true });
    this.atEnd(() => server.close());
    const client = this.connect({ port: await listening(server) });
    const [[accepted]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], []];
    this.atEnd(() => accepted.destroy());
    return [client, accepted, server];
  }

  connect(target: { port: number } | { path: string }): Socket {
    const client = connect({ host: '127.0.0.1', ...target });
    client.on('error', () => {});
    this.atEnd(() => client.destroy());
    return client;
  }

  atEnd(action: () => void): void {
    this.#toEnd.push(action);
  }

  async end(): Promise<void> {
    for (const action of this.#toEnd.reverse()) action();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    // Not `once`: what is on its way to the child may be an error by now.
    await new Promise((resolve) => void this.child.once('exit', resolve));
  }
}

const MATRIX = [
  [node, 'node:net'],
  [node, 'ferronet'],
  [ours, 'node:net'],
  [ours, 'ferronet'],
] as const;

export interface Makes {
  /** The implementation as which the parent's objects should arrive: node:net's in a receiver without ferronet. */
  made: string;
  parent: string;
  child: string;
}

export interface Choice {
  fork?: ForkOptions;
  /** What the parent has, and what the child. */
  only?: Net;
  to?: string | undefined;
  /** One after the other: for tests that compute. */
  serial?: boolean;
}

/** With all four pairs of parent and child, or those of one parent or child. */
export function paired(
  title: string,
  run: (t: ExecutionContext, pair: Pair, makes: Makes) => Promise<void>,
  { fork: options = {}, only, to, serial = false }: Choice = {},
): void {
  const declare = serial ? test.serial : test;
  for (const [net, child] of MATRIX) {
    if ((only && net !== only) || (to && child !== to)) continue;
    const parent = net === ours ? 'ferronet' : 'node:net';
    declare(`${title} [${parent} → ${child}]`, async (t) => {
      const pair = new Pair(net, child, options);
      try {
        await run(t, pair, { made: net === ours ? child : 'node:net', parent, child });
      } finally {
        await pair.end();
      }
    });
  }
}
