// Connecting to a name with several addresses. As in Node they are tried one after the other, and each attempt but the last
// has a time limit.
import { type Attempt, blockedError, type Target } from './attempt.js';
import { debug } from '../node/diagnostics.js';
import type { NetError } from '../errors/errors.js';
import { aggregateError, connectionTimeoutError, ERR_SOCKET_CONNECTION_TIMEOUT } from '../errors/errors.js';
import { becomeConnected, firstAttempt, nextAttempt } from './handle.js';
import type { SocketCore } from '../stream/state.js';

export class SerialAttempts {
  readonly #socket: SocketCore;
  readonly #targets: readonly Target[];
  readonly #attemptTimeout: number;
  readonly #isCurrent: () => boolean;
  readonly #errors: NetError[] = [];
  #next = 0;

  /**
   * @param attemptTimeout milliseconds
   * @param isCurrent whether the call of `connect` that these attempts belong to is still current
   */
  constructor(socket: SocketCore, targets: readonly Target[], attemptTimeout: number, isCurrent: () => boolean) {
    this.#socket = socket;
    this.#targets = targets;
    this.#attemptTimeout = attemptTimeout;
    this.#isCurrent = isCurrent;
    socket.autoSelectFamilyAttemptedAddresses = [];
  }

  tryNext(): void {
    // A listener of the events below may have destroyed the socket.
    if (!this.#isCurrent()) return;
    const target = this.#targets[this.#next];
    if (target === undefined) this.#failAll();
    else this.#try(target);
  }

  #failAll(): void {
    const errors = this.#errors;
    this.#socket.destroy(errors.length === 0 ? new ERR_SOCKET_CONNECTION_TIMEOUT() : aggregateError(errors));
  }

  #try(target: Target): void {
    const socket = this.#socket;
    const make = this.#next === 0 ? firstAttempt : nextAttempt;
    const attempt = make(socket, target, (ended, status) => this.#ended(ended, status));
    this.#next += 1;
    const bindError = attempt.bind('connect/multiple');
    if (bindError) {
      // No attempt was made, so there is no event.
      this.#errors.push(bindError);
      this.tryNext();
      return;
    }
    const blocked = blockedError(socket, target);
    if (blocked) {
      this.#failed(target, blocked);
      return;
    }
    const { address, port, family } = target;
    debug('connect/multiple: attempting to connect to %s:%d (addressType: %d)', address, port, family);
    socket.emit('connectionAttempt', address, port, family);
    if (!this.#isCurrent()) return;
    socket.autoSelectFamilyAttemptedAddresses?.push(`${address}:${port}`);
    const error = attempt.connect();
    if (error) this.#failed(target, error);
    else if (this.#next < this.#targets.length) this.#limitTime(attempt, target);
  }

  #limitTime(attempt: Attempt, target: Target): void {
    debug('connect/multiple: setting the attempt timeout to %d ms', this.#attemptTimeout);
    attempt.limitTime(this.#attemptTimeout, () => this.#timedOut(target));
  }

  #timedOut({ address, port, family }: Target): void {
    debug('connect/multiple: connection to %s:%s timed out', address, port);
    this.#socket.emit('connectionAttemptTimeout', address, port, family);
    this.#errors.push(connectionTimeoutError(address, port as number));
    this.tryNext();
  }

  #failed(target: Target, error: NetError): void {
    this.#errors.push(error);
    this.#socket.emit('connectionAttemptFailed', target.address, target.port, target.family, error);
    this.tryNext();
  }

  #ended(attempt: Attempt, status: number): void {
    const { address, port } = attempt.target;
    debug('connect/multiple: connection attempt to %s:%s completed with status %s', address, port, status);
    // Also of an attempt that was cancelled: Node reports it.
    if (status !== 0) this.#failed(attempt.target, attempt.error(status));
    else if (this.#isCurrent()) becomeConnected(this.#socket);
  }
}
