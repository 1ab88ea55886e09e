// A handle that a program has written in JavaScript, with the methods of Node's own handles: ferronet calls it as
// node:net does, and its events have the same effects.
import type { Socket, SocketConstructorOpts } from 'node:net';

import { isNode } from '../_helpers/implementations.js';
import { parity } from '../_helpers/parity.js';
import type { Recorder } from '../_helpers/recorder.js';
import type { Stage } from '../_helpers/stage.js';

/** How Node's handles say what came of a call. */
interface StreamBase {
  streamBaseState: Int32Array;
  kReadBytesOrError: number;
  kArrayBufferOffset: number;
  kBytesWritten: number;
  /** Before Node 24.22. */
  kLastWriteWasAsync?: number;
}

const { binding } = process as unknown as { binding: (name: string) => StreamBase };
const base: StreamBase | undefined = isNode ? Reflect.apply(binding, process, ['stream_wrap']) : undefined;

interface WriteRequest {
  oncomplete: (status: number, handle: object, error: undefined) => void;
  writeStatus?: number | null;
}

type Payload = Uint8Array | string | readonly unknown[];

interface Behaviour {
  /** Whether writes end later. */
  async?: boolean;
  /** What a write, the start of reading and a shutdown answer. */
  write?: number;
  read?: number;
  shutdown?: number;
}

class Handle {
  declare onread?: (memory: ArrayBuffer | undefined) => void;
  reading = false;
  bytesRead = 0;
  bytesWritten = 0;
  readonly fd = -1;
  readonly #log: Recorder;
  readonly #behaviour: Behaviour;

  constructor(log: Recorder, behaviour: Behaviour) {
    this.#log = log;
    this.#behaviour = behaviour;
  }

  #note(text: string): void {
    this.#log.note('H', text);
  }

  readStart(): number {
    this.#note('readStart');
    return this.#behaviour.read ?? 0;
  }

  readStop(): number {
    this.#note('readStop');
    return 0;
  }

  #wrote(request: WriteRequest | null, what: string, size: number): unknown {
    const { async = false, write = 0 } = this.#behaviour;
    const { streamBaseState: state, kBytesWritten, kLastWriteWasAsync } = base as StreamBase;
    this.#note(what);
    this.bytesWritten += size;
    state[kBytesWritten] = size;
    if (kLastWriteWasAsync !== undefined) state[kLastWriteWasAsync] = Number(async);
    if (write !== 0 || !async) return write;
    const pending = request ?? ({ writeStatus: null } as WriteRequest);
    setImmediate(() => pending.oncomplete(0, this, undefined));
    return request === null ? pending : 0;
  }

  writeBuffer(request: WriteRequest | null, bytes: Uint8Array): unknown {
    return this.#wrote(request, `writeBuffer ${Buffer.from(bytes).toString()}`, bytes.length);
  }

  writeUtf8String(request: WriteRequest | null, text: string): unknown {
    return this.#wrote(request, `writeUtf8String ${text}`, Buffer.byteLength(text));
  }

  writeLatin1String(request: WriteRequest | null, text: string): unknown {
    return this.#wrote(request, `writeLatin1String ${text}`, text.length);
  }

  writev(request: WriteRequest | null, chunks: readonly unknown[], allBuffers: boolean): unknown {
    const shown = (chunks as Payload[]).map((chunk) =>
      typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array),
    );
    return this.#wrote(request, `writev ${shown.join()} ${allBuffers}`, 10);
  }

  shutdown(request: WriteRequest): number {
    this.#note('shutdown');
    const { shutdown = 0 } = this.#behaviour;
    if (shutdown === 0) setImmediate(() => request.oncomplete(0, this, undefined));
    return shutdown;
  }

  close(callback?: () => void): void {
    this.#note('close');
    if (callback) setImmediate(callback);
  }

  setNoDelay(on: boolean): number {
    this.#note(`setNoDelay ${on}`);
    return 0;
  }

  setKeepAlive(...args: unknown[]): number {
    this.#note(`setKeepAlive ${args.slice(0, 2).join()}`);
    return 0;
  }

  getpeername(out: { address?: string }): number {
    out.address = '192.0.2.1';
    return 0;
  }

  ref(): void {
    this.#note('ref');
  }

  unref(): void {
    this.#note('unref');
  }

  /** What a native handle does when something has come: a negative number is the end, or an error. */
  receive(status: number, bytes?: Uint8Array): void {
    const { streamBaseState: state, kReadBytesOrError, kArrayBufferOffset } = base as StreamBase;
    state[kReadBytesOrError] = status;
    state[kArrayBufferOffset] = 0;
    this.bytesRead += Math.max(status, 0);
    this.onread?.(bytes && Uint8Array.from(bytes).buffer);
  }
}

function make(stage: Stage, behaviour: Behaviour = {}, options: object = {}): [socket: Socket, handle: Handle] {
  const handle = new Handle(stage.log, behaviour);
  return [stage.socket('C', { ...options, handle } as unknown as SocketConstructorOpts), handle];
}

const EOF = -4095;
const ECONNRESET = process.platform === 'win32' ? -4077 : -104;
const limits = isNode ? {} : { not: [process.platform] };

for (const async of [false, true]) {
  parity(
    `writes that end ${async ? 'later' : 'at once'}`,
    async (stage) => {
      const [socket] = make(stage, { async }, { allowHalfOpen: true });
      stage.call('C', 'write()', () => socket.write('text', stage.log.callback('C', 'text')), 'micro', 'tick');
      socket.write(Buffer.from('bytes'), stage.log.callback('C', 'bytes'));
      socket.write('latin', 'latin1', stage.log.callback('C', 'latin1'));
      socket.cork();
      socket.write('a', stage.log.callback('C', 'corked'));
      socket.write(Buffer.from('b'));
      socket.uncork();
      await new Promise<void>((resolve) => void socket.write('6869', 'hex', () => resolve()));
      stage.call('C', 'end()', () => socket.end('last', stage.log.callback('C', 'end')), 'micro', 'tick');
      await stage.until(socket, 'finish');
      stage.log.note('C', `${socket.bytesWritten} ${socket.bytesRead}`);
      stage.call('C', 'destroy()', () => socket.destroy(), 'micro', 'tick');
      await stage.closed(socket);
      stage.log.note('C', `${socket.bytesWritten}`);
    },
    limits,
  );
}

parity(
  'what it reads, and the end',
  async (stage) => {
    const [socket, handle] = make(stage);
    const got = new Promise((resolve) => void socket.once('data', resolve));
    handle.receive(3, Buffer.from('abc'));
    await got;
    stage.call('C', 'pause()', () => socket.pause());
    handle.receive(2, Buffer.from('de'));
    stage.call('C', 'resume()', () => socket.resume());
    stage.log.note('C', `${socket.bytesRead} ${socket.remoteAddress}`);
    handle.receive(EOF);
    await stage.closed(socket);
  },
  limits,
);

parity(
  'more than the stream wants',
  async (stage) => {
    const [socket, handle] = make(stage, {}, { highWaterMark: 4, readableHighWaterMark: 4 });
    socket.pause();
    handle.receive(3, Buffer.from('abc'));
    handle.receive(3, Buffer.from('def'));
    stage.log.note('C', `reading ${handle.reading}`);
    stage.call('C', 'resume()', () => socket.resume(), 'tick');
    await stage.until(socket, 'data');
    stage.log.note('C', `reading ${handle.reading}`);
    socket.destroy();
    await stage.closed(socket);
  },
  limits,
);

parity(
  'an error of reading',
  async (stage) => {
    const [socket, handle] = make(stage);
    handle.receive(ECONNRESET);
    await stage.closed(socket);
  },
  limits,
);

const refusals: Record<string, Behaviour> = {
  'reading is refused': { read: ECONNRESET },
  'writing is refused': { write: ECONNRESET },
  'the end is refused': { shutdown: ECONNRESET },
  'the end comes at once': { shutdown: 1 },
};

for (const [title, behaviour] of Object.entries(refusals)) {
  parity(
    title,
    async (stage) => {
      const [socket] = make(stage, behaviour);
      stage.call('C', 'end()', () => socket.end('x', stage.log.callback('C', 'end')), 'micro', 'tick');
      await new Promise((resolve) => setImmediate(resolve));
      socket.destroy();
      await stage.closed(socket);
    },
    limits,
  );
}

parity(
  'options',
  async (stage) => {
    const [socket] = make(stage, {}, { manualStart: true });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 5000);
    socket.unref();
    socket.ref();
    stage.log.note('C', JSON.stringify([socket.address(), socket.remoteAddress, socket.readyState]));
    stage.call('C', 'resetAndDestroy()', () => socket.resetAndDestroy());
    socket.destroy();
    await stage.closed(socket);
  },
  limits,
);

parity(
  'nothing comes after the end of the socket',
  async (stage) => {
    const [socket, handle] = make(stage);
    socket.destroy();
    handle.receive(3, Buffer.from('abc'));
    await stage.closed(socket);
    handle.receive(EOF);
  },
  limits,
);
