// Members of a server as the typings of node:net have them.
import * as net from 'ferronet';

const server: net.Server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket: net.Socket) =>
  socket.end(),
);
const most: number = server.maxConnections;
server.maxConnections = most + server.connections;
server.on('connection', (socket) => socket.setNoDelay());
server.on('drop', (data) => console.log(data?.remoteAddress));
server.once('error', (error) => console.log(error.message)).on('anything', (one: number) => one);
server
  .listen(0)
  .listen(0, '::1', 5)
  .listen(80, 5, () => {})
  .listen('/tmp/x', 5)
  .listen({ fd: 3 });
server.listen({ port: 0, host: '::1', backlog: 5, exclusive: true, ipv6Only: true, signal: AbortSignal.timeout(1) });
server.getConnections((error, count) => console.log(error?.message, count.toFixed()));
server
  .close((error) => console.log(error?.message))
  .unref()
  .ref();
void server[Symbol.asyncDispose]();
const address: string | net.AddressInfo | null = server.address();
console.log(server.listening, address);
net.createServer(async (socket) => void socket.end());

// @ts-expect-error a listener is no text
net.createServer('listener');
// @ts-expect-error it is read
server.listening = true;
// @ts-expect-error a field of the implementation
void server._connections;
// @ts-expect-error a field of the implementation
void net.createServer()._handle;
// @ts-expect-error a function of the implementation
void net._normalizeArgs;
