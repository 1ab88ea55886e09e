// Connecting to a name with several addresses. As in Node they are tried one after the other, and each attempt but the last
// has a time limit. Each attempt has a handle of its own.
import type { Attempt } from './attempt.js';
import { attemptError, becomeConnected, bindLocal, blockedError, connectTcp } from './attempt.js';
import type { NetError } from '../errors/errors.js';
import { aggregateError, connectionTimeoutError, ERR_SOCKET_CONNECTION_TIMEOUT } from '../errors/errors.js';
import { TCP } from '../handle/tcp.js';
import { attachHandle } from '../stream/read.js';
import type { SocketCore } from '../stream/state.js';
import { kState } from '../stream/state.js';
import { startTimer } from '../node/timers.js';

export class SerialAttempts {
  readonly #socket: SocketCore;
  readonly #attempts: readonly Attempt[];
  readonly #attemptTimeout: number;
  readonly #isCurrent: () => boolean;
  readonly #errors: NetError[] = [];
  #next = 0;
  #running: Attempt | undefined;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param attemptTimeout milliseconds
   * @param isCurrent whether the call of `connect` that these attempts belong to is still current
   */
  constructor(socket: SocketCore, attempts: readonly Attempt[], attemptTimeout: number, isCurrent: () => boolean) {
    this.#socket = socket;
    this.#attempts = attempts;
    this.#attemptTimeout = attemptTimeout;
    this.#isCurrent = isCurrent;
    socket.autoSelectFamilyAttemptedAddresses = [];
    socket[kState].cancelConnecting = () => this.#timer?.close();
  }

  tryNext(): void {
    this.#timer?.close();
    // A listener of the events below may have destroyed the socket.
    if (!this.#isCurrent()) return;
    const attempt = this.#attempts[this.#next];
    if (attempt === undefined) this.#failAll();
    else this.#try(attempt);
  }

  #failAll(): void {
    const errors = this.#errors;
    this.#socket.destroy(errors.length === 0 ? new ERR_SOCKET_CONNECTION_TIMEOUT() : aggregateError(errors));
  }

  #try(attempt: Attempt): void {
    const socket = this.#socket;
    // The first attempt uses the handle that `connect` has made.
    if (this.#next > 0) this.#renewHandle();
    this.#next += 1;
    const bindError = bindLocal(socket, attempt);
    if (bindError) {
      // No attempt was made, so there is no event.
      this.#errors.push(bindError);
      this.tryNext();
      return;
    }
    const blocked = blockedError(socket, attempt);
    if (blocked) {
      this.#failed(attempt, blocked);
      return;
    }
    const { address, port, family } = attempt;
    socket.emit('connectionAttempt', address, port, family);
    if (!this.#isCurrent()) return;
    socket.autoSelectFamilyAttemptedAddresses?.push(`${address}:${port}`);
    this.#running = attempt;
    const error = connectTcp(socket, attempt, (status) => this.#ended(attempt, status));
    if (error) this.#failed(attempt, error);
    else if (this.#next < this.#attempts.length) this.#limitTime(attempt);
  }

  #renewHandle(): void {
    const socket = this.#socket;
    const { handle: before, exposed } = socket[kState];
    const handle = new TCP(TCP.SOCKET);
    attachHandle(socket, handle);
    if (before === null) return;
    if (exposed?.hasRef?.() === false) handle.unref();
    before.close();
  }

  #limitTime(attempt: Attempt): void {
    const { address, port, family } = attempt;
    this.#timer = startTimer(() => {
      this.#running = undefined;
      this.#socket.emit('connectionAttemptTimeout', address, port, family);
      this.#errors.push(connectionTimeoutError(address, port));
      this.tryNext();
    }, this.#attemptTimeout).ref();
  }

  #failed(attempt: Attempt, error: NetError): void {
    this.#errors.push(error);
    this.#socket.emit('connectionAttemptFailed', attempt.address, attempt.port, attempt.family, error);
    this.tryNext();
  }

  #ended(attempt: Attempt, status: number): void {
    // An attempt that has timed out was reported before.
    if (attempt !== this.#running) return;
    this.#running = undefined;
    this.#timer?.close();
    // Also if the socket was destroyed meanwhile: Node reports the canceled attempt.
    if (status !== 0) this.#failed(attempt, attemptError(status, attempt));
    else if (this.#isCurrent()) becomeConnected(this.#socket);
  }
}
