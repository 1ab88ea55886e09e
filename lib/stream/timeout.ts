// The idle timer of a socket: `setTimeout`, and what counts as activity. It never keeps the process alive.
import type { ExposedHandle, SocketCore } from './state.js';
import { kState } from './state.js';
import { startTimer } from '../node/timers.js';
import { validateFunction, validateTimeout } from '../errors/validators.js';

// A TLS socket may have this one as its `_parent`: activity here counts as activity there.

/** Restarts the idle timer. */
export function noteActivity(socket: SocketCore): void {
  for (let each: SocketCore | null = socket; each !== null; each = each._parent) each[kState]?.idleTimer?.refresh();
}

export function stopIdleTimers(socket: SocketCore): void {
  for (let each: SocketCore | null = socket; each !== null; each = each._parent) each[kState]?.idleTimer?.close();
}

/** `msecs` 0 stops the timer. `listener` is added to `timeout` once, or removed from it with 0. */
export function setIdleTimeout(socket: SocketCore, msecs: number, listener: (() => void) | undefined): void {
  // A timer on a destroyed socket would only keep it in memory.
  if (socket.destroyed) return;
  const state = socket[kState];
  socket.timeout = msecs;
  const duration = validateTimeout(msecs, 'msecs');
  state.idleTimer?.close();
  state.shortenedAt = undefined;
  // Started before the listener is validated, as in Node: a wrong listener throws and the timer runs.
  state.idleTimer = duration === 0 ? undefined : startTimer(() => socket._onTimeout(), duration);
  if (listener === undefined) return;
  validateFunction(listener, 'callback');
  if (duration === 0) socket.removeListener('timeout', listener);
  else socket.once('timeout', listener);
}

/** Whether the kernel took bytes of a pending write since the last time this was asked. */
export function writeMadeProgress(socket: SocketCore, handle: ExposedHandle | null): boolean {
  const state = socket[kState];
  if (handle === null || state.queueAtLastCheck === 0) return false;
  const { writeQueueSize = 0 } = handle;
  if (writeQueueSize === state.queueAtLastCheck) return false;
  state.queueAtLastCheck = writeQueueSize;
  return true;
}
