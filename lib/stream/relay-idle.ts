// The idle timer of a socket whose data a relay moves. Nobody refreshes the timer for each chunk then; when it ends, the
// reactor is asked how long ago the last one was, and the timer runs for the rest of the idle time.
import { countRelayed, relayIdle } from './relay.js';
import type { SocketCore } from './state.js';
import { kState } from './state.js';
import { startTimer } from '../node/timers.js';

/** Answers true, and has the timer run on, if the socket has not been idle for as long as it may. */
export function relayMadeProgress(socket: SocketCore): boolean {
  const state = socket[kState];
  const { timeout } = socket;
  if (state.idleTimer === undefined || !timeout) return false;
  const own = bytesOfStreams(socket);
  // What goes through JavaScript restarts the timer, but a shortened one is restarted as that.
  if (state.shortenedAt !== undefined && own !== state.shortenedAt) {
    restart(socket, timeout, undefined);
    return true;
  }
  const idle = relayIdle(socket);
  if (idle === undefined || idle >= timeout) return false;
  restart(socket, timeout - idle, own);
  return true;
}

function restart(socket: SocketCore, msecs: number, shortenedAt: number | undefined): void {
  const state = socket[kState];
  state.shortenedAt = shortenedAt;
  state.idleTimer = startTimer(() => socket._onTimeout(), msecs);
}

function bytesOfStreams(socket: SocketCore): number {
  countRelayed(socket);
  const { exposed, relayed } = socket[kState];
  return (exposed?.bytesRead ?? 0) + (exposed?.bytesWritten ?? 0) - relayed;
}
