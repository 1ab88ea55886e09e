/**
 * One attempt to connect: a target, and the handle that connects to it. It binds if it has to, sets the options, connects,
 * and hears how that ended. What follows from it (events, the next address) is decided where the attempt was made.
 *
 * The handle is the attempt's: several can run at the same time. It becomes the socket's when the attempt has won, or is
 * lent to the socket while the attempt runs (handle.ts).
 */
import { type NetError, ERR_IP_BLOCKED, exceptionWithHostPort, uvErrno } from '../errors/errors.js';
import { connectDenial } from '../errors/permission.js';
import type { TcpOptions } from '../handle/options.js';
import type { Pipe } from '../handle/pipe.js';
import type { Req } from '../handle/request.js';
import type { SocketHandle } from '../handle/socket.js';
import { type AddressOut, systemPort, type TCP } from '../handle/tcp.js';
import { debug } from '../node/diagnostics.js';
import { startTimer } from '../node/timers.js';
import { applyOptions } from '../stream/kernel-options.js';
import {
  addAttempt,
  type ExposedHandle,
  kState,
  removeAttempt,
  type RunningAttempt,
  type SocketCore,
} from '../stream/state.js';

const UV_EADDRINUSE: number = uvErrno('EADDRINUSE');

/** Where to connect, and from where: a path alone, or an IP address with all that belongs to it. */
export interface Target {
  /** The IP address or the path. */
  readonly address: string;
  readonly port: number | undefined;
  readonly family: 4 | 6 | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
}

type AttemptState =
  /** Nothing has happened yet. */
  | 'open'
  /** Has its local address. */
  | 'bound'
  /** The kernel connects. */
  | 'connecting'
  | 'won'
  | 'failed'
  /** Given up for the next address. */
  | 'timed out'
  /** The socket was destroyed. */
  | 'cancelled';

/** Called when a connect that had begun has ended: 0 or a negative error, of one that was cancelled as well. */
export type Ended = (attempt: Attempt, status: number) => void;

/** It is the request of its connect, too. */
export class Attempt implements Req, RunningAttempt {
  readonly socket: SocketCore;
  readonly target: Target;
  readonly handle: SocketHandle;
  /** The handle as programs see it: the same, or a foreign one below it. */
  readonly #exposed: ExposedHandle;
  readonly #ended: Ended;
  #state: AttemptState = 'open';
  /** The address that was bound, for error messages. */
  #localAddress: string | undefined;
  /** The options that the handle has been given. */
  #options: Readonly<TcpOptions> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: SocketCore, target: Target, handle: SocketHandle, exposed: ExposedHandle, ended: Ended) {
    this.socket = socket;
    this.target = target;
    this.handle = handle;
    this.#exposed = exposed;
    this.#ended = ended;
  }

  /**
   * Binds the local end, if the target asks for it.
   *
   * @param call what the lines of `NODE_DEBUG=net` begin with
   */
  bind(call: 'connect' | 'connect/multiple'): NetError | undefined {
    const { family, localAddress, localPort } = this.target;
    if (localAddress === undefined && localPort === undefined) return undefined;
    this.#setOptions();
    const tcp = this.handle as unknown as TCP;
    const local = localAddress ?? (family === 4 ? '0.0.0.0' : '::');
    const port = localPort ?? 0;
    const bound = family === 4 ? tcp.bind(local, port) : tcp.bind6(local, port);
    // Node takes it for a port in use when another one is bound, unless it is negative.
    const errno = bound === 0 && port > 0 && port !== systemPort(port) ? UV_EADDRINUSE : bound;
    debug(`${call}: binding to localAddress: %s and localPort: %d (addressType: %d)`, local, localPort, family);
    this.#localAddress = local;
    this.#state = errno < 0 ? 'failed' : 'bound';
    return errno < 0 ? exceptionWithHostPort(errno, 'bind', local, localPort) : undefined;
  }

  /** Begins to connect. An error that occurs at once is returned; any other ending is reported. */
  connect(): NetError | undefined {
    const denial = connectDenial(this.target.address, this.target.port);
    if (denial !== undefined) {
      this.#state = 'failed';
      return denial;
    }
    this.#state = 'connecting';
    addAttempt(this.socket[kState], this);
    // A method that a program has put in place of the handle's may return nothing.
    const errno = this.#begin() as number | undefined;
    if (!errno) return undefined;
    this.#end('failed');
    return this.#immediateError(errno);
  }

  #begin(): number {
    const { address, port, family } = this.target;
    if (port === undefined) return (this.handle as unknown as Pipe).connect(this, address);
    // Before connecting, as in Node: the SYN already carries the type of service.
    this.#setOptions();
    const tcp = this.handle as unknown as TCP;
    return family === 4 ? tcp.connect(this, address, port) : tcp.connect6(this, address, port);
  }

  /** Once, and again when the program has set one of them in the meantime. */
  #setOptions(): void {
    const { kernelOptions } = this.socket[kState];
    if (kernelOptions === this.#options) return;
    this.#options = kernelOptions;
    applyOptions(this.#exposed, kernelOptions);
  }

  // With the local address at this moment. A handle without one yields `undefined:undefined`, as in Node.
  #immediateError(errno: number): NetError {
    let local: AddressOut = {};
    if (this.#isLent()) local = this.socket._getsockname();
    else this.#exposed.getsockname?.(local);
    const { address, port } = this.target;
    return exceptionWithHostPort(errno, 'connect', address, port, `${local.address}:${local.port}`);
  }

  /** Gives up, and calls `timedOut`, unless the attempt ends within that time. */
  limitTime(msecs: number, timedOut: () => void): void {
    // A handle that a program has written may have ended it at once.
    if (this.#state !== 'connecting') return;
    this.#timer = startTimer(() => {
      this.#end('timed out');
      timedOut();
    }, msecs).ref();
  }

  /** The request of the connect has completed. */
  oncomplete(status: number): void {
    // It was reported when its time was over.
    if (this.#state === 'timed out') return;
    if (this.#state === 'connecting') this.#end(status === 0 ? 'won' : 'failed');
    this.#ended(this, status);
  }

  /** The socket was destroyed. A handle that is lent to the socket is closed by it. */
  cancel(): void {
    this.#end('cancelled');
    if (!this.#isLent()) this.handle.close();
  }

  #isLent(): boolean {
    return this.socket[kState].handle === this.handle;
  }

  #end(state: AttemptState): void {
    this.#state = state;
    this.#timer?.close();
    removeAttempt(this.socket[kState], this);
  }

  /** The error of a connect that has failed after it had begun. */
  error(status: number): NetError {
    const { address, port, localPort } = this.target;
    const localAddress = this.#localAddress;
    if (!localAddress || !localPort) return exceptionWithHostPort(status, 'connect', address, port);
    const error = exceptionWithHostPort(status, 'connect', address, port, `${localAddress}:${localPort}`);
    error.localAddress = localAddress;
    error.localPort = localPort;
    return error;
  }
}

/** The error of an address that the socket's `blockList` contains. */
export function blockedError(socket: SocketCore, { address, family }: Target): NetError | undefined {
  return socket.blockList?.check(address, `ipv${family as 4 | 6}`) ? new ERR_IP_BLOCKED(address) : undefined;
}
