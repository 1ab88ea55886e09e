// One socket of a program: writes down what happens to it, and holds it to what is true of every socket.
import type { Socket } from 'node:net';

const EVENTS = ['connect', 'ready', 'end', 'finish', 'timeout', 'error', 'close'] as const;

/** So much of what was handed over may still wait for the end of a batch. */
const BATCH = 16 * 1024;
/** Of what was handed to the system, so many bytes have arrived: the first window of TCP on loopback. The rest may wait for room. */
const FIRST_WINDOW = 60_000;

type Event = (typeof EVENTS)[number];

/** What a program throws itself. */
export class Planned extends Error {
  readonly code = 'PLANNED';
}

export function codeOf(error: unknown): string {
  if (error === undefined || error === null) return 'ok';
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  return [syscall, code ?? message].filter(Boolean).join(' ');
}

export interface Notebook {
  violation: (text: string) => void;
  /** Something has happened. */
  changed: () => void;
}

export class Watched {
  readonly name: string;
  readonly socket: Socket;
  /** In order, without those that are a matter of time. */
  readonly events: string[] = [];
  /** Of calls with a callback, in the order of the callbacks. */
  readonly results: string[] = [];
  /** How often each of these has happened. */
  readonly counts: Record<Event, number> = { connect: 0, ready: 0, end: 0, finish: 0, timeout: 0, error: 0, close: 0 };
  /** Callbacks that are still to come. */
  pending = 0;
  /**
   * Bytes that the system has taken, at least: `writableLength` counts the units of a string, which come to three bytes at
   * most. Not known where a native relay writes to it.
   */
  get handed(): number {
    const { socket } = this;
    if (socket.connecting || socket.writableCorked > 0) return 0;
    return Math.max(0, socket.bytesWritten - 3 * socket.writableLength);
  }

  /** Bytes whose write was reported as done. */
  confirmed = 0;
  /** At its `end`, what it is piped into was still open. */
  passedOn = true;
  /** It was reset before its own end. */
  wasReset = false;
  /** What its peer has handed to the system, where that is known. */
  handedByPeer: (() => number) | undefined;
  /** It was destroyed without an end before it had read everything that was there. */
  leftUnread = false;
  readonly #notebook: Notebook;

  constructor(name: string, socket: Socket, notebook: Notebook) {
    this.name = name;
    const { _destroy } = socket;
    // `destroy` itself stays as it is: a pipe becomes a native relay only with the methods of the class.
    socket._destroy = (error, done) => {
      const handed = this.handedByPeer?.() ?? 0;
      this.leftUnread = !socket.writableEnded && socket.bytesRead + BATCH < Math.min(handed, FIRST_WINDOW);
      _destroy.call(socket, error, done);
    };
    this.socket = socket;
    this.#notebook = notebook;
    for (const event of EVENTS) socket.on(event, (argument: unknown) => this.#note(event, argument));
  }

  get isClosed(): boolean {
    return this.counts.close > 0;
  }

  /** It has got the end of its peer, or nothing more can come. */
  get isOver(): boolean {
    return this.counts.end > 0 || this.isClosed;
  }

  violation(text: string): void {
    this.#notebook.violation(`${this.name}: ${text} [${this}]`);
  }

  /** A callback that has to be called, once. */
  callback(label: string, bytes = 0): (error?: unknown) => void {
    let calls = 0;
    this.pending++;
    return (error) => {
      if (++calls > 1) return this.violation(`the callback of ${label} is called a second time (${codeOf(error)})`);
      this.pending--;
      this.results.push(`${label}: ${codeOf(error)}`);
      if (!error) this.confirmed += bytes;
      this.#notebook.changed();
    };
  }

  /** A listener of `data` is called. */
  noteData(): void {
    if (this.counts.end > 0) this.violation('data after end');
    if (this.counts.close > 0) this.violation('data after close');
  }

  noteProgress(): void {
    this.#notebook.changed();
  }

  /** Resets the connection, if it is one of TCP. */
  reset(): void {
    const { socket } = this;
    // While its end is under way, node:net answers EINVAL and never closes.
    const isEnding = socket.writableEnded && !socket.writableFinished;
    if (socket.remotePort === undefined || socket.destroyed || isEnding) {
      socket.destroy();
      return;
    }
    this.wasReset = !socket.writableEnded;
    socket.resetAndDestroy();
  }

  toString(): string {
    const { socket } = this;
    const flags = (['connecting', 'destroyed', 'readableEnded', 'writableEnded', 'writableFinished'] as const).filter(
      (flag) => socket[flag],
    );
    const lengths = `r${socket.readableLength} w${socket.writableLength} flowing=${socket.readableFlowing}`;
    const bytes = `in ${socket.bytesRead} out ${socket.bytesWritten}`;
    return `${[...this.events, ...flags].join(' ')} ${lengths} ${bytes} pending=${this.pending}`;
  }

  #note(event: Event, argument: unknown): void {
    const { counts } = this;
    if (counts.close > 0) this.violation(`${event} after close`);
    if (event === 'end' && counts.error > 0) this.violation('end after an error');
    counts[event]++;
    if (event !== 'timeout' && counts[event] > 1) this.violation(`${event} a second time`);
    if (event === 'close' && argument !== counts.error > 0)
      this.violation(`close(${String(argument)}) after ${counts.error} errors`);
    if (event !== 'timeout') this.events.push(this.#words(event, argument));
    this.#notebook.changed();
  }

  #words(event: Event, argument: unknown): string {
    if (event === 'error') return `error(${codeOf(argument)})`;
    return event === 'close' ? `close(${String(argument)})` : event;
  }
}
