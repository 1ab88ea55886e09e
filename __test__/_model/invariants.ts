// What holds in every run of every program, however its races come out.
import type { Flow } from './content.js';
import type { Watched } from './watched.js';

/** Two sockets that are the ends of one connection: what one writes the other reads. */
export interface Hop {
  from: Watched;
  to: Watched;
  /** Nothing stands between them. */
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

/** Once all is over: what was reported as written has arrived, if the receiver has got an end. */
export function checkHop({ from, to, direct }: Hop): void {
  if (to.counts.end === 0) return;
  const { bytesRead } = to.socket;
  if (from.counts.finish > 0 && from.counts.error === 0 && bytesRead !== from.socket.bytesWritten && !from.wasReset)
    to.violation(`end after ${bytesRead} bytes, and its peer has finished with ${from.socket.bytesWritten} [${from}]`);
  if (direct && bytesRead < from.confirmed && !from.wasReset)
    to.violation(`end after ${bytesRead} bytes, and its peer has confirmations for ${from.confirmed} [${from}]`);
}

/** Once all is over, for one direction of a link, hop by hop. */
export function checkFlow(hops: readonly Hop[], flow: Flow): void {
  const isWhole = ({ from, to }: Hop): boolean =>
    from.counts.finish > 0 && from.counts.error === 0 && !from.wasReset && to.counts.end > 0 && to.passedOn;
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
