// What is open keeps the process alive, also when requests end at the very moment at which their handle is closed.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

import test from 'ava';

import { triedNames } from './_helpers/implementations.js';
import { runScript } from './_helpers/script.js';

test('an answer that crosses with a close counts once', async (t) => {
  const { code, stdout, stderr } = await runScript(
    `const net = require('ferronet');
     let rounds = 100;
     const server = net.createServer((socket) => {
       // Delivered while the loop polls: closing handles come next, before the answer that is on its way.
       const late = net.connect('/nowhere/at/all').on('error', () => {}).on('close', round);
       process.nextTick(process.nextTick, () => late.destroy());
       socket.resume();
     }).listen(0, '127.0.0.1', round);
     function round() {
       if (rounds-- > 0) net.connect(server.address().port, '127.0.0.1').end();
       // Only the server is left to keep the process alive.
       else setTimeout(() => { console.log('alive'); process.exit(); }, 50).unref();
     }`,
  );
  t.deepEqual([code, stdout], [0, 'alive\n'], stderr);
});

/** The one connection of a server, and its port. */
async function one(server: Server): Promise<{ port: number; connection: Promise<Socket> }> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const connection = once(server, 'connection').then(([socket]) => socket as Socket);
  return { port: (server.address() as AddressInfo).port, connection };
}

for (const name of triedNames) {
  test(`a pipe between sockets that are unref'd loses nothing that it has read: ${name}`, async (t) => {
    const servers = [createServer(), createServer({ pauseOnConnect: true })] as const;
    const [source, destination] = [await one(servers[0]), await one(servers[1])];
    // It is unref'd when the destination takes no more, and ends when that has taken what waits.
    const outcome = runScript(
      `const net = require('${name}'), fs = require('node:fs');
       const from = net.connect(${source.port}, '127.0.0.1'), to = net.connect(${destination.port}, '127.0.0.1');
       from.pipe(to);
       let before = 0;
       const timer = setInterval(() => {
         const { bytesRead } = from;
         if (bytesRead > 0 && bytesRead === before) {
           clearInterval(timer);
           from.unref();
           to.unref();
           console.log('unref');
           process.on('exit', () => fs.writeSync(1, String(from.bytesRead)));
         }
         before = bytesRead;
       }, 50);`,
      { onLine: () => void destination.connection.then((socket) => socket.resume()) },
    );
    const [sender, receiver] = await Promise.all([source.connection, destination.connection]);
    sender.on('error', () => {}).write(Buffer.alloc(16 << 20));
    let received = 0;
    receiver.on('data', ({ length }: Buffer) => (received += length)).on('error', () => {});
    receiver.pause();
    const { stdout, stderr } = await outcome;
    if (!receiver.closed) await once(receiver, 'close');
    t.is(stdout, `unref\n${received}`, stderr);
    t.true(received > 0);
    for (const server of servers) server.close();
  });
}
