// Node sends only its own sockets, servers and handles. For each of ferronet's that is sent, one of Node's is made over a
// duplicate of the descriptor. This file decides when it is ready to be sent.
import { DetachedConnection, detachHandle, type InFlight } from './detached-connection.js';
import { inLaterTurn } from '../handle/dispatcher.js';
import { ERR_INVALID_STATE, errnoException } from '../errors/errors.js';
import type { ForeignHandle } from '../handle/foreign.js';
import type { StreamHandle } from '../handle/stream.js';
import { CountingServerProxy, type CountingServer, type SocketLists } from './server-proxy.js';
import type { PeerProcess } from './channel.js';
import type { NodeHandle } from '../handle/node-classes.js';
import { nodeSocketOf } from '../server/node-handle.js';
import { isFlushed } from '../stream/quiesce.js';
import type { SocketHandle } from '../handle/socket.js';
import type { Socket } from '../socket/socket.js';

/** Seconds that a send waits for the peer of the connection to read pending writes. */
export const TIMEOUT = 5;

/** An error means that it can never be sent. */
export type Readiness = 'ready' | 'pending' | Error;

export interface Sendable {
  /** Node's object. */
  readonly object: object;
  readiness(): Readiness;
  /** As `readiness`, after the timeout. */
  timedOut(): Readiness;
  /** `recheck` is called when `readiness()` may have changed. */
  watch(recheck: (() => void) | null): void;
  /** Removes the bytes that have to be sent along. `sent` or `restore` follows. */
  takeInFlight(): InFlight | null;
  /** The message was written to the channel. */
  sent(): void;
  /** The message cannot be sent: restores the ferronet object. */
  restore(): void;
  /** Closes Node's object, if it is still open. */
  close(): void;
}

/** A duplicate of a handle's descriptor. @throws Error with syscall `dup` */
export function duplicate(handle: Pick<SocketHandle, 'duplicate'>): number {
  const fd = handle.duplicate();
  if (fd < 0) throw errnoException(fd, 'dup');
  return fd;
}

/** For a server or a handle, which stays open here. */
export function sendableHandle(handle: NodeHandle, object: object): Sendable {
  const close = (): void => handle.close();
  const ready = (): Readiness => 'ready';
  return {
    object,
    readiness: ready,
    timedOut: ready,
    watch() {},
    takeInFlight: () => null,
    sent() {},
    restore: close,
    close,
  };
}

/** Properties that Node's `http` sets on the socket of a request. */
interface OfRequest {
  parser?: unknown;
  _httpMessage?: unknown;
}

type NodeSocket = ReturnType<typeof nodeSocketOf> & { server?: unknown } & OfRequest;

class SendableSocket implements Sendable {
  readonly object: NodeSocket;
  protected readonly socket: Socket & OfRequest;
  readonly #nodeHandle: NodeHandle | null;
  readonly #server: CountingServerProxy | null;

  constructor(socket: Socket & OfRequest, open: SocketHandle, lists: SocketLists) {
    this.object = nodeSocketOf(duplicate(open));
    this.socket = socket;
    this.#nodeHandle = this.object._handle;
    this.#server = socket.server ? new CountingServerProxy(socket.server as CountingServer, lists) : null;
    if (this.#server) this.object.server = this.#server;
    if (socket.parser) {
      this.object.parser = socket.parser;
      this.object._httpMessage = socket._httpMessage;
    }
  }

  readiness(): Readiness {
    return 'ready';
  }

  timedOut(): Readiness {
    return new ERR_INVALID_STATE(
      `the connection cannot be sent: its peer has not read what was written for ${TIMEOUT} seconds`,
    );
  }

  watch(_recheck: (() => void) | null): void {}

  takeInFlight(): InFlight | null {
    return null;
  }

  sent(): void {
    this.#server?.sent();
  }

  restore(): void {
    // Node detaches the handle from its object before it writes the message.
    if (this.object._handle === null) {
      if (this.#server) this.#server._connections += 1;
      this.#nodeHandle?.close();
    } else {
      this.object.destroy();
    }
  }

  close(): void {
    this.object.destroy();
  }

  /** Releases what the socket has besides its connection: the idle timer, and what `http` has set. */
  protected release(): void {
    const { socket } = this;
    socket.setTimeout(0);
    if (socket.parser) socket.parser = socket._httpMessage = null;
  }
}

/** A socket with a foreign handle, which completes its own pending writes. */
export class ForeignSocket extends SendableSocket {
  readonly #handle: ForeignHandle;
  readonly #keepOpen: boolean;

  constructor(socket: Socket, handle: ForeignHandle, keepOpen: boolean, lists: SocketLists) {
    super(socket, handle, lists);
    this.#handle = handle;
    this.#keepOpen = keepOpen;
  }

  override sent(): void {
    super.sent();
    if (this.#keepOpen) return;
    this.release();
    detachHandle(this.socket, this.#handle);
    this.#handle.closeWhenSent();
  }
}

/** With `keepOpen`: both processes use the connection. */
export class SharedSocket extends SendableSocket {
  readonly #handle: StreamHandle;

  constructor(socket: Socket, handle: StreamHandle, lists: SocketLists) {
    super(socket, handle, lists);
    this.#handle = handle;
    handle.share();
  }

  override readiness(): Readiness {
    return isFlushed(this.socket, this.#handle) ? 'ready' : 'pending';
  }

  override watch(recheck: (() => void) | null): void {
    this.#handle.ondrained = recheck && (() => inLaterTurn(recheck));
  }
}

/** Without `keepOpen`: the connection is closed here once the other process has it. */
export class MovedSocket extends SendableSocket {
  readonly #connection: DetachedConnection;
  readonly #peer: PeerProcess;
  readonly #probe: () => void;
  #hasProbed = false;

  /** `probe` asks the other process whether it has loaded ferronet. */
  constructor(socket: Socket, handle: StreamHandle, lists: SocketLists, peer: PeerProcess, probe: () => void) {
    super(socket, handle, lists);
    this.#connection = new DetachedConnection(socket, handle);
    this.#peer = peer;
    this.#probe = probe;
  }

  override readiness(): Readiness {
    const connection = this.#connection;
    switch (this.#peer.kind) {
      case 'ferronet':
        return connection.collectWrites() ? 'ready' : 'pending';
      case 'node': {
        // Bytes in the stream's buffer stay there, as with node:net.
        const { readQueueSize } = connection;
        if (readQueueSize > 0) return readAhead(readQueueSize);
        return connection.isFlushed ? 'ready' : 'pending';
      }
      case 'unknown':
        if (!this.#hasProbed && connection.isFlushed && !connection.hasUnread) return 'ready';
        if (!this.#hasProbed) this.#probe();
        this.#hasProbed = true;
        return 'pending';
    }
  }

  override timedOut(): Readiness {
    // Node also waits for an answer of the other process without a limit.
    return this.#peer.kind === 'unknown' ? 'pending' : super.timedOut();
  }

  override watch(recheck: (() => void) | null): void {
    this.#connection.watch(recheck);
  }

  override takeInFlight(): InFlight | null {
    return this.#peer.kind === 'ferronet' ? this.#connection.takeInFlight() : null;
  }

  override sent(): void {
    super.sent();
    this.release();
    this.#connection.close();
  }

  override restore(): void {
    super.restore();
    this.#connection.reattach();
  }

  /** As `restore`, when the sender has passed no callback: nothing would use the connection, so it is closed. */
  abandon(error: Error | undefined): void {
    this.restore();
    this.socket.destroy(error);
  }
}

function readAhead(bytes: number): Error {
  const reason = `${bytes} bytes of it were read ahead, and the other process has not loaded ferronet`;
  return new ERR_INVALID_STATE(`the connection cannot be sent: ${reason}`);
}
