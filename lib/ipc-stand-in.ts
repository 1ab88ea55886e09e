// What Node is given instead of a socket, a server or a handle of ours that is sent to another process, and when it can go.
import { Departure, detachHandle, type Luggage } from './departure.js';
import { inLaterTurn } from './dispatcher.js';
import { ERR_INVALID_STATE, errnoException } from './errors.js';
import type { ForeignHandle } from './foreign-handle.js';
import type { StreamHandle } from './handle.js';
import { Account, type CountingServer, type Lists } from './ipc-account.js';
import type { OtherEnd } from './ipc-channel.js';
import { type NodeHandle, nodeSocketOf } from './node-handle.js';
import { isSent } from './settle.js';
import type { SocketHandle } from './socket-handle.js';
import type { Socket } from './socket.js';

/** For how many seconds a send waits for a peer to read. */
export const PATIENCE = 5;

/** Whether something can be sent now; the error says why it never can. */
export type Verdict = 'goes' | 'waits' | Error;

/** What Node is given in the place of one of our objects. */
export interface StandIn {
  object: object;
  check(): Verdict;
  /** It has waited for as long as it may. */
  late(): Verdict;
  /** `look` is called when `check()` may have another answer. */
  watch(look: (() => void) | null): void;
  /** What goes along. It is about to be sent: afterwards `left`, or `refused`. */
  pack(): Luggage | null;
  /** It is on its way. */
  left(): void;
  /** It could not be sent: all is as it was. */
  refused(): void;
  /** Closes what is still open of it. */
  close(): void;
}

/** A second descriptor of what a handle has open. */
export function duplicate(handle: Pick<SocketHandle, 'duplicate'>): number {
  const fd = handle.duplicate();
  if (fd < 0) throw errnoException(fd, 'dup');
  return fd;
}

/** Of something that stays open here as well. */
export function ofHandle(handle: NodeHandle, object: object): StandIn {
  const close = (): void => handle.close();
  const goes = (): Verdict => 'goes';
  return { object, check: goes, late: goes, watch() {}, pack: () => null, left() {}, refused: close, close };
}

/** What Node's `http` puts on the socket of a request. */
interface OfRequest {
  parser?: unknown;
  _httpMessage?: unknown;
}

type NodeSocket = ReturnType<typeof nodeSocketOf> & { server?: unknown } & OfRequest;

const NOT_TAKEN = (): Error =>
  new ERR_INVALID_STATE(
    `the connection cannot be sent: its peer has not taken what was written in ${PATIENCE} seconds`,
  );

const READ_AHEAD = (bytes: number): Error =>
  new ERR_INVALID_STATE(
    `the connection cannot be sent: ${bytes} bytes of it have been read ahead here, and the other process has not loaded ferronet`,
  );

/** A socket that has its handle still. */
class SocketStandIn implements StandIn {
  readonly object: NodeSocket;
  readonly #nodeHandle: NodeHandle | null;
  readonly #socket: Socket & OfRequest;
  readonly #account: Account | null;

  constructor(socket: Socket & OfRequest, open: SocketHandle, lists: Lists) {
    this.object = nodeSocketOf(duplicate(open));
    this.#nodeHandle = this.object._handle;
    this.#socket = socket;
    this.#account = socket.server ? new Account(socket.server as CountingServer, lists) : null;
    if (this.#account) this.object.server = this.#account;
    if (socket.parser) {
      this.object.parser = socket.parser;
      this.object._httpMessage = socket._httpMessage;
    }
  }

  check(): Verdict {
    return 'goes';
  }

  late(): Verdict {
    return NOT_TAKEN();
  }

  watch(_look: (() => void) | null): void {}

  pack(): Luggage | null {
    return null;
  }

  left(): void {
    this.#account?.left();
  }

  refused(): void {
    // Node has come as far as taking it.
    if (this.object._handle === null) {
      if (this.#account) this.#account._connections += 1;
      this.#nodeHandle?.close();
    } else {
      this.object.destroy();
    }
  }

  close(): void {
    this.object.destroy();
  }

  protected get socket(): Socket & OfRequest {
    return this.#socket;
  }

  /** Nothing is done here for the connection any more. */
  protected letGo(): void {
    const socket = this.#socket;
    socket.setTimeout(0);
    if (socket.parser) socket.parser = socket._httpMessage = null;
  }
}

/** Over a foreign handle, which does what is pending itself. */
export class ForeignSocket extends SocketStandIn {
  readonly #handle: ForeignHandle;
  readonly #keepOpen: boolean;

  constructor(socket: Socket, open: ForeignHandle, keepOpen: boolean, lists: Lists) {
    super(socket, open, lists);
    this.#handle = open;
    this.#keepOpen = keepOpen;
  }

  override left(): void {
    super.left();
    if (this.#keepOpen) return;
    this.letGo();
    detachHandle(this.socket, this.#handle);
    this.#handle.closeWhenSent();
  }
}

/** With `keepOpen`: both processes have the connection from then on. */
export class KeptSocket extends SocketStandIn {
  readonly #handle: StreamHandle;

  constructor(socket: Socket, open: StreamHandle, lists: Lists) {
    super(socket, open, lists);
    this.#handle = open;
    open.share();
  }

  override check(): Verdict {
    return isSent(this.socket, this.#handle) ? 'goes' : 'waits';
  }

  override watch(look: (() => void) | null): void {
    this.#handle.ondrained = look && (() => inLaterTurn(look));
  }
}

/** The connection is the other process's alone. */
export class LeavingSocket extends SocketStandIn {
  readonly #departure: Departure;
  readonly #other: OtherEnd;
  /** Asks the other process what it is. */
  readonly #ask: () => void;
  #hasAsked = false;

  constructor(socket: Socket, open: StreamHandle, lists: Lists, other: OtherEnd, ask: () => void) {
    super(socket, open, lists);
    this.#departure = new Departure(socket, open);
    this.#other = other;
    this.#ask = ask;
  }

  override check(): Verdict {
    const departure = this.#departure;
    switch (this.#other.kind) {
      case 'ours':
        return departure.collect() ? 'goes' : 'waits';
      case 'other':
        // What only the stream has stays with it, as with node:net.
        if (departure.readAhead > 0) return READ_AHEAD(departure.readAhead);
        return departure.isSent ? 'goes' : 'waits';
      case 'unknown':
        if (!this.#hasAsked && departure.isSent && !departure.hasUnread) return 'goes';
        if (!this.#hasAsked) this.#ask();
        this.#hasAsked = true;
        return 'waits';
    }
  }

  override late(): Verdict {
    // Node waits for a process that does not answer as well.
    return this.#other.kind === 'unknown' ? 'waits' : super.late();
  }

  override watch(look: (() => void) | null): void {
    this.#departure.watch(look);
  }

  override pack(): Luggage | null {
    return this.#other.kind === 'ours' ? this.#departure.pack() : null;
  }

  override left(): void {
    super.left();
    this.letGo();
    this.#departure.leave();
  }

  override refused(): void {
    super.refused();
    this.#departure.stay();
  }

  /** As `refused`, and the sender does not hear of it. Nobody looks after the connection then, so it is closed. */
  dropped(error: Error | undefined): void {
    this.refused();
    this.socket.destroy(error);
  }
}
