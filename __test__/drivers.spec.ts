// A program behaves the same with each driver of the reactor: the event loop, the thread, and the thread in a host whose
// event loop is not libuv's (simulated by a process that claims to be Bun).
import test from 'ava';

import { runScript } from './_helpers/script.js';

const drivers = {
  'the load decides': '',
  'the loop': `process.env.FERRONET_DRIVER = 'loop';`,
  'the thread': `process.env.FERRONET_DRIVER = 'thread';`,
  'no libuv': `Object.defineProperty(process.versions, 'bun', { value: '1' });`,
};

// Chunks with a tick between them, a half-closed connection, megabytes both ways, a refused connect, a name that is taken.
const program = `
  const net = require('ferronet');
  const { createHash, randomBytes } = require('node:crypto');
  const { once } = require('node:events');
  const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');
  async function all(socket) {
    const chunks = [];
    for (;;) {
      const [chunk] = await Promise.race([once(socket, 'data'), once(socket, 'end')]);
      if (chunk === undefined) return Buffer.concat(chunks);
      chunks.push(chunk);
    }
  }
  (async () => {
    const server = net.createServer({ allowHalfOpen: true }, async (socket) => socket.end(await all(socket)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const bytes = randomBytes(3 << 20);
    const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const log = [];
    for (const event of ['connect', 'ready', 'end', 'finish', 'close']) client.on(event, () => log.push(event));
    client.end(bytes);
    const echoed = await all(client);
    await once(client, 'close');
    console.log(log.join(' '), echoed.length, sha(echoed) === sha(bytes), client.bytesRead, client.bytesWritten);
    const taken = net.createServer().listen(port, '127.0.0.1');
    console.log((await once(taken, 'error').catch((error) => [error]))[0].code);
    server.close();
    await once(server, 'close');
    const [error] = await once(net.connect(port, '127.0.0.1'), 'error').catch((error) => [error]);
    console.log(error.code);
  })();`;

for (const [title, set] of Object.entries(drivers)) {
  test(title, async (t) => {
    const { code, stdout, stderr } = await runScript(set + program);
    t.is(code, 0, stderr);
    t.is(stdout, 'connect ready finish end close 3145728 true 3145728 3145728\nEADDRINUSE\nECONNREFUSED\n');
  });
}
