// What this module has beside the members of node:net.
import type * as http from 'node:http';
import * as nodeNet from 'node:net';
import * as net from 'ferronet';
import { connect, listen, type PromisedListenOptions } from 'ferronet/promises';

const made: net.FerronetSocket = net.connect({
  port: 80,
  nativeRelay: false,
  highWaterMark: 9,
  blockList: new nodeNet.BlockList(),
});
made
  .setTypeOfService(1)
  .setKeepAlive({ enable: true })
  .setKeepAlive(true, 1, 2, 3)
  .on('end', () => {})
  .setTypeOfService(2);
const tos: number = made.getTypeOfService();
const its: net.FerronetServer | null = made.server;
const server = net.createServer({ blockList: new net.BlockList(), nativeRelay: false }, (socket) =>
  socket.setTypeOfService(tos),
);
server
  .on('connection', (socket) => socket.setTypeOfService(1))
  .once('connection', (socket) => socket.getTypeOfService());
server
  .prependListener('drop', (data) => data?.remotePort)
  .on('any', (one: number) => one)
  .on('listening', () => {});
server.dropMaxConnection = true;
server.listen({ path: '/tmp/x', ownerOnly: true, fd: 3 }).listen(new net.BoundSocket({ path: '/tmp/x' }));
void (async () => {
  for await (const socket of server) socket.setTypeOfService(1).end();
})();
class Marked extends net.Socket {
  mark(): number {
    return this.setTypeOfService(1).getTypeOfService();
  }
  override setTypeOfService(tos: number): this {
    return super.setTypeOfService(tos);
  }
}
new Marked().mark();
class Iterating extends net.Server {
  override [Symbol.asyncIterator](): AsyncIterableIterator<net.FerronetSocket> {
    return super[Symbol.asyncIterator]();
  }
}
new Iterating().listen(80);

const bound = new net.BoundSocket({ host: '::1', exclusive: true });
const port: number = bound.address().port;
const path: string = new net.BoundSocket({ path: '/tmp/x' }).address();
const either: string | net.AddressInfo = new net.BoundSocket({} as net.BoundSocketOptions).address();
class Bound extends net.BoundSocket {}
new net.Socket({ handle: bound }).connect({ port: 1 });
net.connect({ handle: new net.BoundSocket({ path: '/tmp/x' }), path: '/tmp/y' });
const list: net.FerronetBlockList = new net.BlockList();
list.addCIDRs(net.BlockList.PRIVATE_RANGES);
const parsed: number | undefined = net.SocketAddress.parse('1.2.3.4:80')?.port;
console.log(its, port, path, either, new Bound().isPipe, list.size, parsed, net.SocketAddress.isSocketAddress(1));

const options: PromisedListenOptions = {
  port: 0,
  ownerOnly: false,
  connectionListener: (socket) => void socket.getTypeOfService(),
};
void listen(options).then((other: net.FerronetServer) => other.close());
void connect({ port: 1, signal: AbortSignal.timeout(1) }).then((socket: net.FerronetSocket) => socket.end());
void net.promises.connect('/tmp/x').then((socket) => socket.setTypeOfService(1));
export const request = (message: http.IncomingMessage): net.Socket => message.socket;

// @ts-expect-error Node's may lack it
void (server as net.Server)[Symbol.asyncIterator];
// @ts-expect-error no such option
net.connect({ port: 80, nativeRelais: true });
// @ts-expect-error not of Node's lists
fromNode().size.toFixed();
function fromNode(): { size?: number } & net.BlockList {
  return new nodeNet.BlockList();
}
