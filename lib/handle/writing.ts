// What a handle can do as the writing half of a stream: write, end, and give what is not sent to another owner.
import { Buffer } from 'node:buffer';

import { uvErrno } from '../errors/errors.js';
import { acceptedBytes, queuedFlag } from './accepted.js';
import { type EncodedChunk, bytesOf } from './chunk.js';
import { control, inLaterTurn, reactor, send, sendBytes } from './dispatcher.js';
import { ListeningHandle } from './listener.js';
import { ChunkForm, IOV_MAX, LONGEST_STRING, Operation } from './numbers.js';
import { Pending, PendingShutdown, type Req } from './request.js';
import type { SocketHandle } from './socket.js';
import { Unsent } from './unsent.js';
import { type QueueOwner, WriteQueue } from './write-queue.js';

const UV_EBADF: number = uvErrno('EBADF');

/** Encodings that the reactor implements. */
const FORMS: Readonly<Partial<Record<string, ChunkForm>>> = {
  utf8: ChunkForm.Utf8,
  'utf-8': ChunkForm.Utf8,
  latin1: ChunkForm.Latin1,
  binary: ChunkForm.Latin1,
  ascii: ChunkForm.Latin1,
  utf16le: ChunkForm.Utf16Le,
  'utf-16le': ChunkForm.Utf16Le,
  ucs2: ChunkForm.Utf16Le,
  'ucs-2': ChunkForm.Utf16Le,
};

/** `Client`: the handle of an accepted connection. */
export abstract class WritingHandle<Client extends ListeningHandle<Client>>
  extends ListeningHandle<Client>
  implements QueueOwner
{
  /** Called with a negative error if a completed write cannot be sent. `this` is the handle. */
  onbroken: SocketHandle['onbroken'] = null;
  /** Called after each event while the kernel has taken all writes. */
  ondrained: (() => void) | null = null;
  bytesWritten = 0;

  #shutdown: PendingShutdown | undefined;
  /** Writes that the kernel has not taken; undefined until the first one. */
  #queue: WriteQueue | undefined;

  /** Bytes that `write` accepted and that the kernel has not taken. */
  get writeQueueSize(): number {
    return this.isWriting ? reactor().writeQueueSize(this.id) + this.unsentSize() : 0;
  }

  private unsentSize(): number {
    return this.#queue?.unsentSize ?? 0;
  }

  /** Whether a write has bytes that the reactor has not got. */
  get hasUnsent(): boolean {
    return this.#queue?.hasUnsent === true;
  }

  protected pending(type: string, req: Req): Pending {
    return new Pending(type, req, this.getAsyncId());
  }

  /** Whether the kernel has not taken all writes. */
  protected get isWriting(): boolean {
    return this.#queue !== undefined && !this.#queue.isEmpty;
  }

  /** Whether a shutdown was requested and has not completed. */
  protected get isShuttingDown(): boolean {
    return this.#shutdown !== undefined;
  }

  // ---- writing and ending

  /** Returns 0, or a negative error if nothing was taken. `req.async` says whether `oncomplete` will be called. */
  write(req: Req, chunk: Uint8Array | string, encoding: BufferEncoding = 'utf8'): number {
    let form: ChunkForm | undefined = ChunkForm.Bytes;
    if (typeof chunk === 'string') {
      form = FORMS[encoding];
      if (form === undefined || chunk.length > LONGEST_STRING || this.#queue?.hasUnsent) {
        chunk = Buffer.from(chunk, encoding);
        form = ChunkForm.Bytes;
      }
    }
    if (this.#queue?.hasUnsent) return this.enqueue(req, [chunk as Uint8Array]);
    if (form === ChunkForm.Bytes) return this.writeBytes(req, chunk as Uint8Array);
    const accepted = send(this.openId(), chunk, form);
    // A string is accepted whole.
    return accepted < 0 ? this.wrote(req, 0, accepted) : this.wrote(req, acceptedBytes(accepted), queuedFlag(accepted));
  }

  private writeBytes(req: Req, chunk: Uint8Array): number {
    const accepted = sendBytes(this.openId(), chunk);
    if (accepted === undefined) return this.wrote(req, chunk.byteLength, 0);
    if (accepted < 0) return this.wrote(req, 0, accepted);
    const bytes = acceptedBytes(accepted);
    if (bytes === chunk.byteLength) return this.wrote(req, bytes, queuedFlag(accepted));
    return this.enqueueRest(req, [chunk], bytes);
  }

  /** Several chunks as one write. */
  writev(req: Req, chunks: readonly EncodedChunk[]): number {
    let size = 0;
    const list = chunks.map(({ chunk, encoding }) => {
      const bytes = bytesOf(chunk, encoding);
      size += bytes.byteLength;
      return bytes;
    });
    if (this.#queue?.hasUnsent) return this.enqueue(req, list);
    if (list.length > IOV_MAX) return this.writeInSteps(req, new Unsent(list, 0));
    const accepted = reactor().writev(this.openId(), list, false);
    if (accepted < 0) return this.wrote(req, 0, accepted);
    const bytes = acceptedBytes(accepted);
    return bytes === size ? this.wrote(req, size, queuedFlag(accepted)) : this.enqueueRest(req, list, bytes);
  }

  /** The reactor has taken the first bytes of a write, and the kernel not yet all of those. */
  private enqueueRest(req: Req, chunks: readonly Uint8Array[], taken: number): number {
    const unsent = new Unsent(chunks, taken);
    unsent.isWaiting = true;
    return this.wrote(req, taken + unsent.size, 1, unsent);
  }

  /** A write of more chunks than one call takes. */
  private writeInSteps(req: Req, unsent: Unsent): number {
    const { size } = unsent;
    const progress = unsent.send(this.openId(), false);
    if (typeof progress === 'number') return this.wrote(req, 0, progress);
    const status = this.wrote(req, size, progress === 'sent' ? 0 : 1, unsent.size > 0 ? unsent : undefined);
    if (progress === 'more') this.#queue?.sendLater();
    return status;
  }

  /** A write behind one that has unsent bytes. */
  private enqueue(req: Req, chunks: readonly Uint8Array[]): number {
    const unsent = new Unsent(chunks, 0);
    return this.isClosing() ? UV_EBADF : this.wrote(req, unsent.size, 1, unsent);
  }

  /** @param answer 0 if the kernel has all bytes, 1 if it does not yet, or a negative libuv error */
  protected wrote(req: Req, bytes: number, answer: number, unsent?: Unsent): number {
    req.async = false;
    if (answer < 0) return answer;
    req.bytes = bytes;
    this.bytesWritten += bytes;
    if (answer > 0) {
      req.async = true;
      (this.#queue ??= new WriteQueue(this)).push(this.pending('WRITEWRAP', req), unsent);
    }
    return 0;
  }

  onallsent(status: number): void {
    const shutdown = this.#shutdown;
    if (!shutdown?.waits) return;
    shutdown.waits = false;
    const answer = status < 0 ? status : control(Operation.Shutdown, this.openId());
    if (answer < 0) shutdown.status = answer;
  }

  /** Sends FIN behind all writes. */
  shutdown(req: Req): number {
    if (this.#queue?.hasUnsent && !this.isClosing()) return this.shutdownPending(req, true);
    const status = control(Operation.Shutdown, this.openId());
    return status === 0 ? this.shutdownPending(req) : status;
  }

  /** The request completes when FIN was sent. */
  protected shutdownPending(req: Req, waits = false): number {
    this.#shutdown = new PendingShutdown(req, this.getAsyncId(), waits);
    return 0;
  }

  protected override cancelPending(): void {
    if (this.#queue !== undefined) for (const pending of this.#queue.cancel()) this.cancel(pending);
    const shutdown = this.#shutdown;
    if (shutdown === undefined) return;
    this.#shutdown = undefined;
    this.cancel(shutdown);
  }

  // ---- giving what is not sent to another owner

  /** Sends the writes of the current batch. Returns how many bytes the kernel has not taken. */
  flush(): number {
    return reactor().flush(this.openId()) + this.unsentSize();
  }

  /** Sends bytes that another owner of the connection has reported as written; a close does not cancel them. */
  writeReported(bytes: Uint8Array): void {
    reactor().writeReported(this.openId(), bytes);
  }

  /**
   * Removes the bytes that the kernel has not taken, for another process that sends them. The requests complete in a later
   * turn. `ends`: a shutdown was requested, and is cancelled here.
   */
  takeUnsent(): { chunks: Uint8Array[]; ends: boolean } {
    const first = reactor().takeUnsent(this.openId());
    const rest = this.#queue?.take();
    const shutdown = this.#shutdown;
    this.#shutdown = undefined;
    inLaterTurn(() => {
      rest?.complete();
      shutdown?.complete(0, this);
    });
    return { chunks: [first, ...(rest?.chunks ?? [])], ends: shutdown !== undefined };
  }

  // ---- events of the reactor

  /** The reactor has sent what it had of the first write, or has failed to. */
  protected written(status: number): void {
    this.#queue?.written(status);
  }

  /** FIN was sent, or could not be. */
  protected shutDown(status: number): void {
    if (this.#shutdown !== undefined) this.#shutdown.status = status;
  }

  /** Follows each event: when the kernel has all writes, the shutdown behind them may complete. */
  protected eventEnded(): void {
    if (this.isWriting) return;
    const shutdown = this.#shutdown;
    if (shutdown?.status !== undefined) {
      this.#shutdown = undefined;
      shutdown.complete(shutdown.status, this);
    }
    this.ondrained?.();
  }
}
