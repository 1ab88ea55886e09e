// The idle timer of a socket whose data a relay moves. No chunk refreshes the timer then. When it fires, the reactor is asked
// when the last chunk passed, and the timer is restarted for the rest of the idle time.
import { countRelayed, relayIdle } from './relay.js';
import type { SocketCore } from './state.js';
import { kState } from './state.js';
import { startTimer } from '../node/timers.js';

/** True if the socket has not been idle for its whole timeout. The timer runs on then. */
export function relayMadeProgress(socket: SocketCore): boolean {
  const state = socket[kState];
  const { timeout } = socket;
  if (state.idleTimer === undefined || !timeout) return false;
  const own = bytesOfStreams(socket);
  // Data that passes through JavaScript refreshes the timer, which keeps its shortened duration: it needs the full one again.
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
