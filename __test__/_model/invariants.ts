// What holds in every run of every program, however its races come out.
import type { Flow } from './content.js';
import type { Watched } from './watched.js';

/** Two sockets that are the ends of one connection: what one writes the other reads. */
export interface Hop {
  from: Watched;
  to: Watched;
  /** There is nothing between them. */
  direct: boolean;
  /** Over a path. */
  local: boolean;
}

/** An end without an end of the peer: a truncated stream passes for a whole one. */
export function checkEnd({ from, to, direct, local }: Hop): void {
  if (!direct) return;
  const { socket } = from;
  if (from.wasReset) to.violation(`end, but its peer was reset [${from}]`);
  else if (from.leftUnread) {
    const end = local ? 'end of a local socket' : 'end';
    to.violation(`${end}, but its peer was destroyed with bytes that it had not read [${from}]`);
  } else if (!socket.writableEnded && !socket.destroyed) to.violation(`end, and its peer has not ended [${from}]`);
}

// libuv before 1.52 takes a short read together with EPOLLHUP for the end (libuv#4997).
const [, uvMinor] = process.versions.uv.split('.').map(Number) as [number, number];
const PEER_INVENTS_ENDS = uvMinor < 52;

/** The process between the two may have made an end of a reset: `from` was closed and had not read to its end. */
const mayBeInvented = ({ from, direct }: Hop): boolean => PEER_INVENTS_ENDS && !direct && from.counts.end === 0;

/** Once all is over: what was reported as written has arrived, if the receiver has got an end. */
export function checkHop(hop: Hop): void {
  const { from, to, direct } = hop;
  if (to.counts.end === 0 || mayBeInvented(hop)) return;
  const { bytesRead } = to.socket;
  if (from.counts.finish > 0 && from.counts.error === 0 && bytesRead !== from.socket.bytesWritten && !from.wasReset)
    to.violation(`end after ${bytesRead} bytes, and its peer has finished with ${from.socket.bytesWritten} [${from}]`);
  if (direct && bytesRead < from.confirmed && !from.wasReset)
    to.violation(`end after ${bytesRead} bytes, and its peer has confirmations for ${from.confirmed} [${from}]`);
}

/** Once all is over, for one direction of a link, hop by hop. */
export function checkFlow(hops: readonly Hop[], flow: Flow): void {
  const isWhole = (hop: Hop): boolean => {
    const { from, to } = hop;
    const isFinished = from.counts.finish > 0 && from.counts.error === 0 && !from.wasReset;
    return isFinished && to.counts.end > 0 && to.passedOn && !mayBeInvented(hop);
  };
  const last = hops.at(-1);
  if (last === undefined || !hops.every(isWhole)) return;
  if (flow.received !== flow.sent)
    last.to.violation(`all have ended in order, and ${flow.received} of ${flow.sent} bytes have arrived`);
}

/** Once all is over. */
export function checkSocket(watched: Watched): void {
  if (watched.pending > 0) watched.violation(`${watched.pending} callbacks were never called`);
  if (watched.counts.close === 0) watched.violation('never closed');
}
