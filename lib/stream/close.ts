// Destroying a socket releases its handle in the order that programs observe with node:net. The handle emits 'close', when
// the descriptor is closed and libuv would run closing callbacks; a socket that never had a handle emits it in the next tick.
import { errnoException } from '../errors/errors.js';
import { endRelays } from './relay.js';
import type { SocketHandle } from '../handle/socket.js';
import type { SocketCore } from './state.js';
import { debug, isDebugged } from '../node/diagnostics.js';
import { kState, takeWaiters } from './state.js';
import { stopIdleTimers } from './timeout.js';
import { inMicrotask } from '../node/timers.js';

/** Releases everything the socket holds. False: there was no handle, so the caller has to emit `close`. */
export function closeSocket(socket: SocketCore, hadError: boolean): boolean {
  const state = socket[kState];
  debug('destroy');
  endRelays(socket);
  socket.connecting = false;
  stopIdleTimers(socket);
  state.life += 1;
  const { attempts } = state;
  if (attempts.length > 0) for (const attempt of attempts) attempt.cancel();
  const { handle, exposed } = state;
  debug('close');
  if (handle === null) {
    takeWaiters(state);
    return false;
  }
  if (!isDebugged || (socket as unknown) !== process.stderr) debug('close handle');
  state.bytesRead = exposed?.bytesRead ?? 0;
  state.bytesWritten = exposed?.bytesWritten ?? 0;
  if (socket._closeAfterHandlingError) {
    // Listeners of 'error' may still read the handle's addresses.
    void inMicrotask(() => {
      closeHandle(socket, handle, hadError);
      releaseHandle(socket, handle);
    });
  } else {
    closeHandle(socket, handle, hadError);
    releaseHandle(socket, handle);
  }
  return true;
}

function closeHandle(socket: SocketCore, handle: SocketHandle, hadError: boolean): void {
  const state = socket[kState];
  const waiting = takeWaiters(state);
  const closed = (): void => {
    debug('emit close');
    socket.emit('close', hadError);
    for (const each of waiting) each.closed?.();
  };
  if (!state.resetting) {
    handle.close(closed);
    return;
  }
  state.resetting = false;
  const errno = handle.reset(closed);
  if (errno < 0) socket.emit('error', errnoException(errno, 'reset'));
}

function releaseHandle(socket: SocketCore, handle: SocketHandle): void {
  handle.reader = null;
  if (socket[kState].handle === handle) socket._handle = null;
  socket._sockname = null;
}
