// `NODE_DEBUG=net`: the same program prints the same lines in the same order, but for ports and numbers of processes.
import test from 'ava';

import { isNode } from '../_helpers/implementations.js';
import { runScript } from '../_helpers/script.js';

const PRELUDE = `
  const { once } = require('node:events');
  const turns = async () => { for (let i = 0; i < 5; i += 1) await new Promise(setImmediate); };
  const mark = (text) => process._rawDebug('NET 0: -- ' + text);
  const listen = async (listener, options = {}) => {
    const server = net.createServer(options, listener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  const over = async (...all) => {
    await Promise.all(all.map((each) => each.closed || new Promise((resolve) => each.once('close', resolve))));
    await turns();
  };`;

// Only one end is at work at a time, and the loop drives: whose lines come first is not a matter of chance then.
const programs: Record<string, string> = {
  'a server on any address': `
    const server = net.createServer().listen(0);
    await once(server, 'listening');
    server.close();
    await once(server, 'close');`,

  'an address that is taken': `
    const server = await listen();
    const other = net.createServer().listen(server.address().port, '127.0.0.1');
    await once(other, 'error');
    server.close();`,

  'a connection that ends': `
    let accepted;
    const server = await listen((socket) => { accepted = socket; }, { allowHalfOpen: true, pauseOnConnect: true });
    const client = net.connect({ port: server.address().port, host: '127.0.0.1', allowHalfOpen: true });
    await once(client, 'connect');
    await turns();
    mark('write');
    client.write('hello');
    await turns();
    mark('read');
    accepted.resume();
    await once(accepted, 'data');
    await turns();
    mark('end');
    client.end();
    await once(accepted, 'end');
    await turns();
    mark('end too');
    accepted.end('bye');
    await over(accepted);
    mark('resume');
    client.resume();
    await over(client);
    mark('close');
    server.close();
    await over(server);`,

  'what is accepted reads at once': `
    let accepted;
    const server = await listen((socket) => { accepted = socket; mark('accepted'); });
    const client = net.connect(server.address().port, '127.0.0.1');
    await once(server, 'connection');
    await turns();
    mark('destroy');
    accepted.destroy();
    await over(accepted);
    client.destroy();
    server.close();
    await over(server);`,

  'a server that waits for its connection': `
    let accepted;
    const server = await listen((socket) => { accepted = socket; }, { pauseOnConnect: true });
    const client = net.connect(server.address().port, '127.0.0.1');
    await once(server, 'connection');
    await turns();
    mark('close');
    server.close();
    mark('destroy');
    accepted.destroy();
    await over(server);
    mark('client');
    client.destroy();
    await over(client);`,

  'writes and an end before it has connected': `
    const server = await listen(undefined, { pauseOnConnect: true });
    const client = net.connect(server.address().port, '127.0.0.1');
    client.write('early');
    client.end('late');
    await once(client, 'finish');
    await turns();
    mark('destroy');
    client.destroy();
    await over(client);
    process.exit();`,

  'a refused connection': `
    const client = net.connect(1, '127.0.0.1');
    client.on('error', () => {});
    await over(client);`,

  'a port that there is not': `
    try { net.connect({ port: -1 }); } catch { mark('refused'); }
    try { net.connect({}); } catch { mark('refused'); }`,

  'destroyed before it has connected': `
    const client = net.connect(1, '127.0.0.1');
    client.destroy();
    await over(client);
    const never = new net.Socket();
    never.destroy();
    await over(never);`,

  'a reset': `
    const server = await listen(undefined, { pauseOnConnect: true });
    const client = net.connect(server.address().port, '127.0.0.1');
    await once(client, 'connect');
    client.resetAndDestroy();
    await over(client);
    const refused = net.connect(1, '127.0.0.1').on('error', () => {});
    refused.resetAndDestroy();
    await over(refused);
    process.exit();`,

  'the idle timer': `
    const server = await listen(undefined, { pauseOnConnect: true });
    const client = net.connect(server.address().port, '127.0.0.1');
    await once(client, 'connect');
    client.setTimeout(10);
    await once(client, 'timeout');
    client.destroy();
    await over(client);
    process.exit();`,

  'a local address': `
    const server = await listen(undefined, { pauseOnConnect: true });
    const { port } = server.address();
    const client = net.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.1' });
    await once(client, 'connect');
    client.destroy();
    await over(client);
    process.exit();`,

  'one address of a name': `
    const server = await listen(undefined, { pauseOnConnect: true });
    const lookup = (host, options, done) => process.nextTick(done, null, [{ address: '127.0.0.1', family: 4 }]);
    const client = net.connect({ port: server.address().port, host: 'one.test', lookup });
    await once(client, 'connect');
    client.destroy();
    await over(client);
    process.exit();`,

  'two addresses of a name': `
    const server = await listen(undefined, { pauseOnConnect: true });
    const lookup = (host, options, done) => {
      process.nextTick(done, null, [{ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }]);
    };
    const client = net.connect({ port: server.address().port, host: 'two.test', lookup });
    await once(client, 'connect');
    client.destroy();
    await over(client);
    process.exit();`,

  'a name that is not found': `
    const lookup = (host, options, done) => process.nextTick(done, new Error('none'));
    const client = net.connect({ port: 1, host: 'none.test', family: 4, lookup });
    client.on('error', () => {});
    await over(client);`,

  'memory of the program': `
    const server = await listen((socket) => socket.end('read'), { pauseOnConnect: true });
    const onread = { buffer: Buffer.alloc(8), callback: () => true };
    const client = net.connect({ port: server.address().port, host: '127.0.0.1', onread });
    await once(client, 'end');
    await turns();
    process.exit();`,

  'a path': `
    const path = require('node:path').join(require('node:os').tmpdir(), 'debug-lines-' + process.pid);
    const server = net.createServer({ pauseOnConnect: true }).listen(path);
    await once(server, 'listening');
    const client = net.connect(path);
    await once(client, 'connect');
    await turns();
    client.destroy();
    await over(client);
    server.close();
    process.exit();`,

  'a number that is no descriptor': `
    const server = net.createServer().listen({ fd: 100 });
    server.on('error', () => {});
    await turns();`,
};

async function lines(module: string, program: string): Promise<string[]> {
  const source = `const net = require('${module}');${PRELUDE}(async () => {${program}})();`;
  const { code, stderr } = await runScript(source, {
    env: { NODE_DEBUG: 'net', NO_COLOR: '1', FERRONET_DRIVER: 'loop' },
  });
  if (code !== 0) throw new Error(stderr);
  return (
    stderr
      .replace(/debug-lines-\d+/g, 'path')
      // The mark of Node 26 on every Node.
      .replace(/^(NET \d+: _read - n )(?:16384|65536)/gm, '$1…')
      .replace(/(\bport: |127\.0\.0\.1:|::1:|setupListenHandle 127\.0\.0\.1 |4 511 )(?!0\b)\d{2,}/g, '$1…')
      .split('\n')
      .map((line) => line.replace(/^NET \d+: /, ''))
  );
}

for (const [title, program] of Object.entries(programs)) {
  (isNode && process.platform === 'linux' ? test : test.skip)(title, async (t) => {
    const theirs = await lines('node:net', program);
    t.true(theirs.length > 2);
    t.deepEqual(await lines('ferronet', program), theirs);
  });
}
