/**
 * On Windows, a pipe that this process has inherited as one of its `stdio`. The numbers are file descriptors of Node's C
 * runtime, and most such pipes can only be read by a thread that blocks on them. So a socket of Node's opens the pipe, and
 * this handle uses that socket where other handles use the reactor.
 */
import { Buffer } from 'node:buffer';
import type * as Net from 'node:net';

import { EventKind } from './numbers.js';
import { uvErrno } from '../errors/errors.js';
import { Pipe } from './pipe.js';
import { type Req, statusOf } from './request.js';
import { bytesOf, concatenated, type EncodedChunk } from './chunk.js';
import { UV_EOF } from './socket.js';
import { Stage } from './wrap.js';
import { nodeNet } from '../node/modules.js';

const UV_EBADF: number = uvErrno('EBADF');
const UV_EISCONN: number = uvErrno('EISCONN');

interface NodeSocketOptions extends Net.SocketConstructorOpts {
  manualStart: boolean;
}

export class InheritedPipe extends Pipe {
  readonly #pipe: Net.Socket;
  /** Writes to stdout and stderr are synchronous, as in Node. */
  readonly #isSynchronous: boolean;

  /** @throws ERR_INVALID_FD_TYPE and the errors of the system: Node's own */
  constructor(fd: number) {
    super(Pipe.SOCKET);
    const options: NodeSocketOptions = { fd, readable: true, writable: true, allowHalfOpen: true, manualStart: true };
    this.#pipe = new (nodeNet().Socket)(options);
    this.#isSynchronous = fd === 1 || fd === 2;
    this.stage = Stage.Open;
    // A `data` listener would start reading otherwise.
    this.#pipe.pause();
    this.#pipe.on('data', (chunk: Buffer) => this.onevent(EventKind.Data, chunk.byteLength, chunk));
    this.#pipe.on('end', () => this.onevent(EventKind.End, UV_EOF, undefined));
    this.#pipe.on('error', (error: NodeJS.ErrnoException) => {
      // Write errors go to the callbacks of the writes.
      if (error.syscall === 'read') this.onevent(EventKind.End, statusOf(error), undefined);
    });
  }

  override get writeQueueSize(): number {
    return this.#pipe.writableLength;
  }

  override ref(): void {
    super.ref();
    this.#pipe.ref();
  }

  override unref(): void {
    super.unref();
    this.#pipe.unref();
  }

  override readStart(): number {
    if (this.isClosing()) return UV_EBADF;
    this.reading = true;
    this.updateLoopRef();
    this.#pipe.resume();
    return 0;
  }

  override readStop(): number {
    this.reading = false;
    this.updateLoopRef();
    this.#pipe.pause();
    return 0;
  }

  override write(req: Req, chunk: Uint8Array | string, encoding: BufferEncoding = 'utf8'): number {
    const bytes = bytesOf(chunk, encoding);
    if (this.isClosing()) return this.wrote(req, 0, UV_EBADF);
    const status = this.wrote(req, bytes.byteLength, this.#isSynchronous ? 0 : 1);
    this.#pipe.write(bytes, (error) => {
      if (!this.#isSynchronous) this.onevent(EventKind.Wrote, statusOf(error), undefined);
      else if (error) this.onevent(EventKind.Broken, statusOf(error), undefined);
    });
    return status;
  }

  override writev(req: Req, chunks: readonly EncodedChunk[]): number {
    return this.write(req, concatenated(chunks));
  }

  override shutdown(req: Req): number {
    if (this.isClosing()) return UV_EBADF;
    this.#pipe.end((error?: Error | null) => this.onevent(EventKind.ShutDown, statusOf(error), undefined));
    return this.shutdownPending(req);
  }

  protected override closeWith(reset: boolean, callback: (() => void) | undefined): void {
    super.closeWith(reset, callback);
    this.#pipe.destroy();
  }

  /** Inherited pipes are connected. */
  protected override connectWith(): number {
    return UV_EISCONN;
  }
}
