// `ferronet/systemd`: a process that was given listening sockets, as systemd gives them.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import test, { type ExecutionContext } from 'ava';

import { atMost } from './_helpers/patience.js';

const PACKAGE = join(__dirname, '..');
const onUnix = process.platform === 'win32' ? test.skip : test;
const onLinux = process.platform === 'linux' ? test : test.skip;

type Environment = Partial<Record<'LISTEN_FDS' | 'LISTEN_FDNAMES' | 'LISTEN_PID', string>>;

/** Runs `source` with `servers` from descriptor 3 on, and the number of its process in LISTEN_PID unless there is one. */
function runWith(t: ExecutionContext, servers: Server[], environment: Environment, source: string): ChildProcess {
  const fds = servers.map((server) => (server as unknown as { _handle: { fd: number } })._handle.fd);
  const own = 'LISTEN_PID' in environment ? '' : 'LISTEN_PID=$$ ';
  const child = spawn('sh', ['-c', `${own}exec "$0" --eval "$1"`, process.execPath, source], {
    cwd: PACKAGE,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', ...fds],
    timeout: atMost(20_000),
  });
  t.teardown(() => child.kill());
  return child;
}

async function printed(child: ChildProcess): Promise<string> {
  const [said, complaints] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')]);
  return said + complaints;
}

async function opened(t: ExecutionContext, where: { port: number; host: string } | { path: string }): Promise<Server> {
  const server = createServer().listen(where);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return server;
}

const tcp = (t: ExecutionContext): Promise<Server> => opened(t, { port: 0, host: '127.0.0.1' });

onUnix('servers on the sockets, by their names', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ferronet-systemd-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'control');
  const servers = [await tcp(t), await opened(t, { path }), await tcp(t)];
  const child = runWith(
    t,
    servers,
    { LISTEN_FDS: '3', LISTEN_FDNAMES: 'web:control:web' },
    `const net = require('ferronet');
     const sockets = require('ferronet/systemd').listenFdsWithNames();
     console.log(JSON.stringify(sockets));
     let open = 0;
     for (const [name, list] of Object.entries(sockets)) {
       for (const [at, socket] of list.entries()) {
         open += 1;
         const server = net.createServer((client) => { client.end(name + at); server.close(); });
         server.listen(socket, () => --open === 0 && console.log('ready'));
       }
     }`,
  );
  const [told] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  const web = [
    { fd: 3, name: 'web', type: 'TCP' },
    { fd: 5, name: 'web', type: 'TCP' },
  ];
  t.deepEqual(JSON.parse(told.split('\n')[0] ?? ''), { web, control: [{ fd: 4, name: 'control', type: 'PIPE' }] });
  if (!told.includes('ready')) await once(child.stdout!, 'data');
  const [first, , second] = servers.map((server) => (server.address() as AddressInfo).port);
  // Who bound the path removes it when closing.
  renameSync(path, `${path}-kept`);
  for (const server of servers) server.close();
  t.is(await text(connect(first!, '127.0.0.1')), 'web0');
  t.is(await text(connect(`${path}-kept`)), 'control0');
  t.is(await text(connect(second!, '127.0.0.1')), 'web1');
  await once(child, 'close');
});

const tell = (options: string, show: string): string =>
  `const { listenFds } = require('ferronet/systemd');
   const names = listenFds(${options}).map(({ name }) => name);
   console.log(names.join(), Object.keys(process.env).filter((name) => name.startsWith('LISTEN_')).sort().join(), ${show});`;

onUnix('the environment stays unless it is asked for', async (t) => {
  const servers = [await tcp(t), await tcp(t)];
  const environment = { LISTEN_FDS: '2', LISTEN_FDNAMES: 'one:two' };
  const kept = await printed(runWith(t, servers, environment, tell('', 'listenFds().length')));
  t.is(kept, 'one,two LISTEN_FDNAMES,LISTEN_FDS,LISTEN_PID 2\n');
  const unset = await printed(
    runWith(t, servers, environment, tell('{ unsetEnvironment: true }', 'listenFds().length')),
  );
  t.is(unset, 'one,two  0\n');
});

onUnix('sockets without names, and none', async (t) => {
  t.is(
    await printed(runWith(t, [await tcp(t)], { LISTEN_FDS: '1' }, tell('', '""'))),
    'unknown LISTEN_FDS,LISTEN_PID \n',
  );
  t.is(
    await printed(runWith(t, [], { LISTEN_FDS: '0', LISTEN_FDNAMES: '' }, tell('', '1'))).then((said) => said[0]),
    ' ',
  );
});

onUnix('sockets that are meant for another process', async (t) => {
  const environment = { LISTEN_FDS: '1', LISTEN_PID: '1' };
  t.is(await printed(runWith(t, [await tcp(t)], environment, tell('{ unsetEnvironment: true }', '""'))), '  \n');
});

onLinux('programs that the process starts do not inherit the sockets', async (t) => {
  const flags = `Number.parseInt(/flags:\\s*(\\d+)/.exec(require('fs').readFileSync('/proc/self/fdinfo/3', 'utf8'))[1], 8)`;
  const source = `
    const isKept = () => (${flags} & 0o2000000) !== 0;
    require('ferronet/systemd').listenFds();
    console.log(isKept());`;
  t.is(await printed(runWith(t, [await tcp(t)], { LISTEN_FDS: '1' }, source)), 'true\n');
});

onUnix('an environment that makes no sense', async (t) => {
  const server = await tcp(t);
  const attempt = `try { require('ferronet/systemd').listenFds(); } catch (error) { console.log(error.code, error.message); }`;
  for (const [environment, complaint] of [
    [{ LISTEN_FDS: 'many' }, /^ERR_INVALID_ARG_VALUE .*LISTEN_FDS.* number.* 'many'/],
    [{ LISTEN_FDS: '1', LISTEN_PID: 'me' }, /^ERR_INVALID_ARG_VALUE .*LISTEN_PID/],
    [{ LISTEN_FDS: '1', LISTEN_FDNAMES: 'one:two' }, /^ERR_INVALID_ARG_VALUE .*LISTEN_FDNAMES.* 1 names/],
    [{ LISTEN_FDS: '900' }, /^EBADF EBADF: bad file descriptor, fstat/],
  ] as const) {
    t.regex(await printed(runWith(t, [server], environment, attempt)), complaint);
  }
});
