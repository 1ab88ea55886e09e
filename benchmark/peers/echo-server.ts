// An echo server in a process of its own, on the implementation it is told: `ferronet` or `node:net`.
// It tells its parent the port, and ends when the parent lets go of it.
import type { AddressInfo, Server, Socket } from 'node:net';

interface Net {
  createServer(options: { noDelay: boolean }, onConnection: (socket: Socket) => void): Server;
}

const net = require(String(process.argv[2])) as Net;

const server = net.createServer({ noDelay: true }, (socket) => {
  // A client that is gone in the middle of a message is the end of a round, not a failure.
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());
