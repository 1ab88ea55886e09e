// `ferronet proxy`: passes connections on. The pipes between the two sockets are relays, which do not enter JavaScript.
import type * as Net from '../../index.js';
import { type Command, Exit } from './command.js';
import { type Counts, LIVE_DETAILS, LIVE_OPTIONS, serve } from './connections.js';
import { endpointText, LISTEN_DETAILS, readEndpoint } from './endpoint.js';

type Connect = () => Net.Socket;

/** A connection that was cut off is cut off on the other side as well: an end would say that it was all. */
function cutOff(socket: Net.Socket): void {
  // A local socket has no reset, and the reset of one that connects would wait until it is connected.
  if (socket.remoteFamily === undefined || socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}

/** Whatever has not been passed on is lost with a connection. After its end, the other one sends what it still has, and ends. */
function endWith(socket: Net.Socket, other: Net.Socket, counts: Counts): void {
  socket.on('error', (error) => counts.fail(error));
  socket.once('close', (hadError) => {
    if (hadError) cutOff(other);
    else if (!other.writableEnded) other.destroy();
  });
}

function passOn(client: Net.Socket, connect: Connect, counts: Counts): void {
  const upstream = connect();
  client.pipe(upstream);
  upstream.pipe(client);
  endWith(client, upstream, counts);
  endWith(upstream, client, counts);
}

export const proxy: Command = {
  name: 'proxy',
  synopsis: 'LISTEN TARGET',
  summary: 'Passes each connection to LISTEN on to TARGET, until it is interrupted.',
  details: `LISTEN and TARGET are a port, HOST:PORT, [IPv6]:PORT or a path.
${LISTEN_DETAILS}

${LIVE_DETAILS}

The numbers are those of the clients: "in" is what they have sent.

Example: ferronet proxy 127.0.0.1:8080 example.org:80`,
  options: LIVE_OPTIONS,
  takes: [2, 2],
  run([listen = '', target = ''], values): Promise<Exit> {
    const from = readEndpoint(listen);
    const to = readEndpoint(target);
    const net = require('../../index.js') as typeof Net;
    const connect: Connect = () => net.connect({ ...to, allowHalfOpen: true });
    const title = (address: string): string => `${address} → ${endpointText(to)}`;
    return serve(from, values, title, (client, counts) => passOn(client, connect, counts));
  },
};
