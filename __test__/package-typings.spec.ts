// The typings, seen by programs of users: a CommonJS and an ES module one, compiled with every check on.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';

const root = join(__dirname, '..');

const program = `
const server: net.Server = net.createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket: net.Socket) => {
  socket.setEncoding('utf8').setNoDelay(true).setKeepAlive(true, 1000).setTimeout(3000, () => socket.end());
  socket.on('data', (text) => socket.write(text, 'utf8', () => socket.end('bye')));
  socket.on('close', (hadError: boolean) => console.log(hadError, socket.bytesRead, socket.remoteAddress ?? 'gone'));
  const duplex: Duplex = socket;
  duplex.resume();
});
server.maxConnections = 10;
server.on('connection', (socket) => socket.pause());
server.listen({ port: 0, host: '127.0.0.1', backlog: 5 }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') {
    const client = net.connect({ port: address.port, lookup: dns.lookup, family: 4 }, () => client.write(new Uint8Array(3)));
    client.on('error', (error: Error) => console.log(error.message));
    client.on('lookup', (error, ip, family, host) => console.log(error, ip, family, host));
  }
});
server.getConnections((error, count) => console.log(error, count.toFixed()));
server.close().unref().ref();
new net.Socket({ fd: 3, readable: true }).connect('/tmp/echo.sock');
net.createConnection(80, 'localhost');
const version: number = net.isIP('::1');
const yes: boolean = net.isIPv4('1.2.3.4') && net.isIPv6('::1');
console.log(version, yes);
// @ts-expect-error a port is not an object
net.connect({ port: {} });
// @ts-expect-error a class has no such method
new net.Socket().sendTo(1);
`;

function compile(t: ExecutionContext, file: string, text: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'ferronet-typings-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'node_modules', '@types'), { recursive: true });
  // Junctions: on Windows they need no privilege.
  symlinkSync(root, join(folder, 'node_modules', 'ferronet'), 'junction');
  symlinkSync(join(root, 'node_modules', '@types', 'node'), join(folder, 'node_modules', '@types', 'node'), 'junction');
  writeFileSync(join(folder, file), text);
  const options = ['--noEmit', '--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes'];
  const settings = ['--module', 'nodenext', '--target', 'es2022', '--types', 'node', '--skipLibCheck', 'false'];
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const run = spawnSync(process.execPath, [tsc, ...options, ...settings, file], { cwd: folder, encoding: 'utf8' });
  t.is(run.stdout + run.stderr, '');
  t.is(run.status, 0);
}

const helpers = `import dns from 'node:dns';\nimport type { Duplex } from 'node:stream';\n`;

test('a CommonJS program with `import net = require()`', (t) => {
  compile(t, 'required.cts', `import net = require('ferronet');\n${helpers}${program}`);
});

test('a CommonJS program with a default import', (t) => {
  compile(t, 'default.cts', `import net from 'ferronet';\n${helpers}${program}`);
});

test('an ES module with a default import', (t) => {
  compile(t, 'default.mts', `import net from 'ferronet';\n${helpers}${program}`);
});

test('an ES module with names', (t) => {
  const names = `import { type AddressInfo, Server, Socket, createServer } from 'ferronet';\n`;
  const use = `const made: Server = createServer((s: Socket) => s.end());\nexport const info = made.address() as AddressInfo;\n`;
  compile(t, 'names.mts', names + use);
});

const promises = `
const server = await listen({ port: 0, host: '::1', connectionListener: (socket) => void socket.end() });
const client: Socket = await connect({ port: 1, signal: AbortSignal.timeout(1) });
await connect('/tmp/x.sock');
await connect(80, 'localhost');
for await (const socket of server) socket.end();
net.promises.listen({ path: '/tmp/y' }).then((other) => other.close());
new BoundSocket({ host: '::1', exclusive: true }).close();
client.connect({ port: 1 });
net.createServer({ blockList: new nodeNet.BlockList() }).listen(new BoundSocket(), 5);
new net.Socket({ handle: new BoundSocket(), blockList: new net.BlockList() });
new net.BlockList().addCIDRs(net.BlockList.PRIVATE_RANGES);
export const port: number | undefined = net.SocketAddress.parse('1.2.3.4:80')?.port;
`;

test('an ES module with promises and bound sockets', (t) => {
  const names = `import net, { BoundSocket, type Socket } from 'ferronet';\nimport { connect, listen } from 'ferronet/promises';\n`;
  compile(t, 'promises.mts', `import nodeNet from 'node:net';\n${names}${promises}`);
});

test('a CommonJS program with promises', (t) => {
  const text = `import { connect, listen } from 'ferronet/promises';\nvoid listen({ port: 0 }).then(() => connect(1));\n`;
  compile(t, 'promises.cts', text);
});

const handover = `
const adopted: net.Socket = adopt(new nodeNet.Socket());
const released: nodeNet.Socket = release(adopted);
const server: net.Server = adopt(http.createServer(), { backlog: 5 });
const back: nodeNet.Server = release(server);
export const all = [released, back, adopt(tls.connect(1))];
// @ts-expect-error there is nothing to hand over
adopt({});
`;

test('handing over, from an ES module and a CommonJS one', (t) => {
  const nodes = `import http from 'node:http';\nimport nodeNet from 'node:net';\nimport tls from 'node:tls';\n`;
  const text = `${nodes}import net from 'ferronet';\nimport { adopt, release } from 'ferronet/handover';\n${handover}`;
  compile(t, 'handover.mts', text);
  compile(t, 'handover.cts', text);
});

const overHttp = `
const server: net.Server = serve(http.createServer(), { noDelay: false }).listen(80);
serve(https.createServer()), serve(http2.createSecureServer()), serve(tls.createServer());
const agent: HttpAgent = new HttpAgent({ keepAlive: true });
http.get({ agent }), https.get({ agent: new HttpsAgent({ maxSockets: 3 }) });
const secured: tls.TLSSocket = connectTls({ host: 'localhost', port: 443, ALPNProtocols: ['h2'] }, () => secured.end());
const session: http2.ClientHttp2Session = connectHttp2('https://localhost', { ca: '' }, (made) => made.ping(() => {}));
export const all = [server, session];
// @ts-expect-error an agent is no server
serve(agent);
`;

test('servers and clients of http, from an ES module and a CommonJS one', (t) => {
  const modules = ['http', 'https', 'http2', 'tls'].map((name) => `import ${name} from 'node:${name}';\n`).join('');
  const names = `import { connectHttp2, connectTls, HttpAgent, HttpsAgent, serve } from 'ferronet/http';\n`;
  const text = `${modules}import net from 'ferronet';\n${names}${overHttp}`;
  compile(t, 'http.mts', text);
  compile(t, 'http.cts', text);
});

test('sockets of systemd, in an ES module and a CommonJS one', (t) => {
  const names = `import { type InheritedSocket, listenFds, listenFdsWithNames } from 'ferronet/systemd';\n`;
  const use = `const [socket]: InheritedSocket[] = listenFds({ unsetEnvironment: true });
    net.createServer().listen(socket ?? { port: 80 });
    for (const each of listenFdsWithNames()['web'] ?? []) new net.Socket(each);\n`;
  compile(t, 'systemd.mts', `import net from 'ferronet';\n${names}${use}`);
  compile(t, 'systemd.cts', `import net from 'ferronet';\n${names}${use}`);
});

test('an ES module can name every type that a CommonJS one can', (t) => {
  const typings = readFileSync(join(root, 'dist', 'index.d.ts'), 'utf8');
  const types = [...typings.matchAll(/^export (?:type|interface) (\w+)/gm)].map(([, name]) => name);
  t.true(types.includes('AddressInfo'));
  const all = types.map((name) => `net.${name}`).join(', ');
  compile(t, 'types.mts', `import type * as net from 'ferronet';\nexport type All = [${all}];\n`);
});

test('what is internal is not there', (t) => {
  const use = `
    // @ts-expect-error a function of net that @types/node does not have either
    void net._normalizeArgs;
    // @ts-expect-error a field of node:net
    void new net.Socket()._hadError;
    // @ts-expect-error a field of node:net
    void net.createServer()._connections;\n`;
  compile(t, 'internal.mts', `import net from 'ferronet';\n${use}`);
  compile(t, 'internal.cts', `import net = require('ferronet');\n${use}`);
});

test('the same program fits the typings of node:net', (t) => {
  compile(t, 'node.mts', `import net from 'node:net';\n${helpers}${program}`);
});
