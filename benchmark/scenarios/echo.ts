// Round trips: each connection sends a message, waits until all of it is back, and sends the next.
// The client is node:net for every peer, so that a difference can only come from the server.
import { connect } from 'node:net';

export interface Load {
  connections: number;
  /** Size of a message. */
  bytes: number;
  seconds: number;
}

function pingPong(port: number, message: Buffer, counting: () => boolean, until: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let trips = 0;
    let missing = message.length;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(message));
    socket.on('data', (data) => {
      missing -= data.length;
      if (missing > 0) return;
      missing = message.length;
      if (counting()) trips++;
      if (performance.now() < until) socket.write(message);
      else socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(trips));
  });
}

/** Runs the load against a port; the first fifth of a second does not count. Returns round trips a second. */
export async function echo(port: number, { connections, bytes, seconds }: Load): Promise<number> {
  const message = Buffer.alloc(bytes, 'ferronet ');
  const from = performance.now() + 200;
  const until = from + seconds * 1000;
  const counting = (): boolean => {
    const now = performance.now();
    return now >= from && now < until;
  };
  const trips = await Promise.all(Array.from({ length: connections }, () => pingPong(port, message, counting, until)));
  return trips.reduce((total, one) => total + one, 0) / seconds;
}
