// Node sends its own sockets, servers and handles only. For each of this package that is sent, one of Node's is made over a
// second descriptor, and this file decides when it can be sent.
import { DetachedConnection, detachHandle, type InFlight } from './detached-connection.js';
import { inLaterTurn } from '../handle/dispatcher.js';
import { ERR_INVALID_STATE, errnoException } from '../errors/errors.js';
import type { ForeignHandle } from '../handle/foreign.js';
import type { StreamHandle } from '../handle/stream.js';
import { CountingServerProxy, type CountingServer, type SocketLists } from './server-proxy.js';
import type { PeerProcess } from './channel.js';
import { type NodeHandle, nodeSocketOf } from '../server/node-handle.js';
import { isFlushed } from '../stream/quiesce.js';
import type { SocketHandle } from '../handle/socket.js';
import type { Socket } from '../socket/socket.js';

/** For how many seconds a send waits until the peer of a connection has read what was written. */
export const TIMEOUT = 5;

/** An error: it can never be sent. */
export type Readiness = 'ready' | 'pending' | Error;

export interface Sendable {
  /** Node's object. */
  readonly object: object;
  readiness(): Readiness;
  /** The same when the timeout has passed. */
  timedOut(): Readiness;
  /** `recheck` is called when `readiness()` may have changed. */
  watch(recheck: (() => void) | null): void;
  /** What has to be sent along. `sent` or `restore` follows. */
  takeInFlight(): InFlight | null;
  /** It was written to the channel. */
  sent(): void;
  /** It cannot be sent: the object of this package is what it was. */
  restore(): void;
  /** Closes Node's object, if it is still open. */
  close(): void;
}

/** A second descriptor of what a handle has open. */
export function duplicate(handle: Pick<SocketHandle, 'duplicate'>): number {
  const fd = handle.duplicate();
  if (fd < 0) throw errnoException(fd, 'dup');
  return fd;
}

/** A server or a handle, which stays open here. */
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

/** What Node's `http` puts on the socket of a request. */
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
    // Node takes the handle off its object before it writes the message.
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

  /** What the socket has besides its connection. */
  protected release(): void {
    const { socket } = this;
    socket.setTimeout(0);
    if (socket.parser) socket.parser = socket._httpMessage = null;
  }
}

/** Of a foreign handle, which settles by itself what is pending. */
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

/** The connection becomes the other process's alone. */
export class MovedSocket extends SendableSocket {
  readonly #connection: DetachedConnection;
  readonly #peer: PeerProcess;
  readonly #probe: () => void;
  #hasProbed = false;

  /** `probe` finds out whether the other process has this package. */
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
        // What the stream has buffered stays in it, as with node:net.
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
    // Node, too, waits without a limit for the answer of the other process.
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

  /** As `restore`, for a sender that does not learn of it: a connection without a user is closed. */
  abandon(error: Error | undefined): void {
    this.restore();
    this.socket.destroy(error);
  }
}

function readAhead(bytes: number): Error {
  const reason = `${bytes} bytes of it were read ahead, and the other process has not loaded ferronet`;
  return new ERR_INVALID_STATE(`the connection cannot be sent: ${reason}`);
}
