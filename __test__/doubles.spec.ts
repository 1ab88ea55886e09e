// What packages do that stand between a program and the network in its tests: they replace methods of handles, put one socket's
// handle into another, and call the constructors of `net` on objects of their own.
import { once } from 'node:events';
import { connect as connectNode, Server as NodeServer, type Server, type Socket } from 'node:net';
import { setImmediate as immediate } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';

import test from 'ava';

import { closed } from './_helpers/both.js';
import { isNode, type Net, ours, tried } from './_helpers/implementations.js';

interface Request {
  oncomplete(status: number, handle: object, request: Request, readable: boolean, writable: boolean): void;
}

interface Handle {
  connect?: unknown;
  connect6?: unknown;
  getpeername?: unknown;
  setTypeOfService?: unknown;
  close(): void;
}

const handleOf = (socket: Socket): Handle => (socket as unknown as { _handle: Handle })._handle;
const setHandle = (socket: Socket, handle: Handle): void => {
  (socket as unknown as { _handle: Handle })._handle = handle;
};

async function listening(net: Net): Promise<[server: Server, port: number]> {
  const server = net.createServer((accepted) => accepted.end('real'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return [server, (server.address() as { port: number }).port];
}

const declare = isNode ? test : test.skip;

for (const [name, net] of Object.entries(tried)) {
  declare(`${name}: a method of the handle that answers nothing has connected when it says so`, async (t) => {
    const socket = new net.Socket();
    socket._read = () => {};
    const requests: Request[] = [];
    socket.once('connectionAttempt', () => {
      const handle = handleOf(socket);
      handle.setTypeOfService = undefined;
      handle.connect = handle.connect6 = (request: Request): void => void requests.push(request);
      handle.getpeername = (out: { address?: string }): void => void (out.address = '192.0.2.7');
    });
    socket.connect({ port: 1, host: '127.0.0.1' });
    while (requests.length === 0) await immediate();
    t.true(socket.connecting);
    const connected = once(socket, 'connect');
    const [request] = requests;
    request?.oncomplete(0, handleOf(socket), request, true, true);
    await connected;
    t.is(socket.remoteAddress, '192.0.2.7');
    const over = closed(socket);
    socket.destroy();
    await over;
  });

  declare(`${name}: the handle of another socket takes the place of one that connects`, async (t) => {
    const [server, port] = await listening(net);
    const socket = new net.Socket();
    const asked = new Promise<void>((resolve) => {
      socket.once('connectionAttempt', () => {
        handleOf(socket).connect = handleOf(socket).connect6 = () => resolve();
      });
    });
    socket.connect({ port, host: '127.0.0.1' });
    await asked;
    const real = net.connect(port, '127.0.0.1');
    const received: string[] = [];
    real.on('data', (chunk) => socket.push(chunk)).on('end', () => socket.push(null));
    socket.on('data', (chunk: Buffer) => void received.push(chunk.toString()));
    await once(real, 'connect');
    const before = handleOf(socket);
    setHandle(socket, handleOf(real));
    before.close();
    (socket as { connecting: boolean }).connecting = false;
    socket.emit('connect');
    socket.emit('ready');
    t.is(socket.remotePort, port);
    await once(socket, 'end');
    t.deepEqual(received, ['real']);
    socket.destroy();
    real.destroy();
    server.close();
    await once(server, 'close');
  });
}

// With ferronet/register, `net` is ferronet for a package that derives from a class of Node's: `tls` still has Node's own.
declare("the constructor of Socket on an object of node:net's class makes Node's socket of it", async (t) => {
  function Derived(this: Socket): void {
    Reflect.apply(ours.Socket, this, [{ allowHalfOpen: true }]);
  }
  Derived.prototype = Object.create(TLSSocket.prototype) as object;
  const socket = new (Derived as unknown as new () => Socket)();
  t.true(socket instanceof TLSSocket);
  t.true(socket.allowHalfOpen);
  const [server, port] = await listening(ours);
  const plain = connectNode(port, '127.0.0.1');
  await once(plain, 'connect');
  setHandle(socket, handleOf(plain));
  t.is(socket.readyState, 'open');
  const over = closed(socket);
  socket.destroy();
  await over;
  server.close();
});

declare("the constructor of Server on an object of node:net's class makes Node's server of it", async (t) => {
  function Derived(this: Server): void {
    Reflect.apply(ours.Server, this, [(accepted: Socket) => accepted.end('derived')]);
  }
  Derived.prototype = Object.create(NodeServer.prototype) as object;
  const server = new (Derived as unknown as new () => Server)();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = ours.connect((server.address() as { port: number }).port, '127.0.0.1');
  t.is(String((await once(client, 'data'))[0]), 'derived');
  server.close();
});
