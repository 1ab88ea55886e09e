// Connecting to one target: a path, or the only address of a name.
import { type Attempt, blockedError, type Target } from './attempt.js';
import { debug } from '../node/diagnostics.js';
import type { NetError } from '../errors/errors.js';
import { becomeConnected, firstAttempt } from './handle.js';
import { kState, type SocketCore } from '../stream/state.js';

/** @param isCurrent whether the call of `connect` that this belongs to is still current */
export function connectTo(socket: SocketCore, target: Target, isCurrent: () => boolean): void {
  const attempt = firstAttempt(socket, target, ended);
  const error = attempt.bind('connect') ?? begin(attempt, isCurrent);
  if (error) socket.destroy(error);
}

function begin(attempt: Attempt, isCurrent: () => boolean): NetError | undefined {
  const { socket, target } = attempt;
  const { address, port, family } = target;
  debug('connect: attempting to connect to %s:%d (addressType: %d)', address, port, family);
  socket.emit('connectionAttempt', address, port, family);
  // If a listener has destroyed the socket, node:net continues here without a handle.
  if (!isCurrent()) return undefined;
  return (port === undefined ? undefined : blockedError(socket, target)) ?? attempt.connect();
}

function ended(attempt: Attempt, status: number): void {
  const { socket, target } = attempt;
  // Without an event for an attempt that was cancelled.
  if (socket.destroyed || socket[kState].handle !== attempt.handle || !socket.connecting) return;
  if (status === 0) {
    becomeConnected(socket);
    return;
  }
  debug('afterConnect');
  socket.connecting = false;
  const error = attempt.error(status);
  socket.emit('connectionAttemptFailed', target.address, target.port, target.family, error);
  socket.destroy(error);
}
