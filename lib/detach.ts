// A socket whose connection goes on elsewhere: in another process that it was sent to.
import type { SocketHandle } from './socket-handle.js';
import { type SocketCore, kState } from './socket-state.js';

/** A server that counts the sockets it has accepted. */
interface Accepted {
  _server: object | null;
}

/**
 * Takes the handle off a socket. As in Node nothing is told: the socket just has no connection any more. Its server counts
 * it no more, which is up to the caller, and so is the handle.
 */
export function detachHandle(socket: SocketCore): SocketHandle | null {
  const state = socket[kState];
  const { handle, exposed } = state;
  if (handle === null) return null;
  handle.reader = null;
  handle.onbroken = null;
  handle.readStop();
  state.bytesRead = exposed?.bytesRead ?? 0;
  state.bytesWritten = exposed?.bytesWritten ?? 0;
  socket._handle = null;
  (socket as SocketCore & Accepted)._server = null;
  return handle;
}
