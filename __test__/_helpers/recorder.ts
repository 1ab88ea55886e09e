// Writes down what happens to sockets and servers, one lane an object, in words that do not depend on chance: ports and
// temporary paths have names, errors are spelled out. Two implementations did the same if their lanes are equal. Lanes are
// compared one by one, because the order between two ends of a connection is the kernel's affair.
import type { EventEmitter } from 'node:events';
import type { Server, Socket } from 'node:net';

import { describe, describeError, describeState, withoutChosenPorts } from './describe.js';

export type Lanes = Record<string, string[]>;

/** Points after a call that a log may show: the microtasks, the next tick, the check phase. */
export type Mark = 'micro' | 'tick' | 'immediate';

const SOCKET_EVENTS = [
  'lookup',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connectionAttemptTimeout',
  'connect',
  'ready',
  'drain',
  'end',
  'finish',
  'timeout',
  'error',
  'close',
] as const;

const SERVER_EVENTS = ['listening', 'connection', 'drop', 'error', 'close'] as const;

export class Recorder {
  readonly #lanes: Lanes = {};
  readonly #forgotten = new Set<string>();
  readonly #names = new Map<string, string>();

  /** From now on `text` is shown as `name`: a directory, a port. */
  name(text: string | number, name: string): void {
    this.#names.set(String(text), name);
  }

  note(lane: string, text: string): void {
    if (!this.#forgotten.has(lane)) (this.#lanes[lane] ??= []).push(this.#normal(text));
  }

  /** Records the events of a socket, each with the state it saw. `data: false` leaves the data to the scenario. */
  socket<T extends Socket>(lane: string, socket: T, { data = true } = {}): T {
    this.#watch(lane, socket, data ? [...SOCKET_EVENTS, 'data'] : SOCKET_EVENTS, () => ` ${describeState(socket)}`);
    return socket;
  }

  server<T extends Server>(lane: string, server: T): T {
    this.#watch(lane, server, SERVER_EVENTS, () => '');
    return server;
  }

  /** Calls `action`, notes that it returned or threw, and marks the asked for points after it. */
  call<T>(lane: string, label: string, action: () => T, ...marks: Mark[]): T | undefined {
    let result: T | undefined;
    try {
      result = action();
      this.note(lane, `> ${label}`);
    } catch (error) {
      this.note(lane, `> ${label} threw ${describeError(error)}`);
    }
    if (marks.includes('tick')) process.nextTick(() => this.note(lane, '~tick'));
    if (marks.includes('micro')) queueMicrotask(() => this.note(lane, '~micro'));
    if (marks.includes('immediate')) setImmediate(() => this.note(lane, '~immediate'));
    return result;
  }

  /** A callback that notes its arguments. */
  callback(lane: string, label: string): (...args: unknown[]) => void {
    return (...args) => this.note(lane, `cb ${label}(${args.map(describe).join(', ')})`);
  }

  /** Takes lanes out again, from now on too: what the other end sees of a connection that may or may not come to be. */
  forget(...lanes: string[]): void {
    for (const lane of lanes) {
      this.#forgotten.add(lane);
      delete this.#lanes[lane];
    }
  }

  lanes(): Lanes {
    return this.#lanes;
  }

  /** For a scenario that hangs: what it came to. */
  toString(): string {
    const lines = Object.entries(this.#lanes).map(([lane, log]) => [`[${lane}]`, ...log].join('\n  '));
    return lines.join('\n') || '(nothing)';
  }

  #watch(lane: string, emitter: EventEmitter, events: readonly string[], state: () => string): void {
    for (const event of events) {
      emitter.on(event, (...args: unknown[]) => {
        this.note(lane, `${event}(${args.map(describe).join(', ')})${state()}`);
      });
    }
  }

  #normal(text: string): string {
    let line = text;
    for (const [found, name] of this.#names) {
      line = /^\d+$/.test(found) ? line.replace(new RegExp(`\\b${found}\\b`, 'g'), name) : line.replaceAll(found, name);
    }
    return withoutChosenPorts(line);
  }
}
