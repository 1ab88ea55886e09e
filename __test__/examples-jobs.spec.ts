// The programs of examples/ that do a job, each as a user starts it: as a process of its own, on a port that the system picks.
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import nodeNet, { type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';

import { localPath } from './_helpers/local-path.js';
import { Program } from './_helpers/program.js';

const testOnUnix = process.platform === 'win32' ? test.skip : test;

function start(t: ExecutionContext, name: string, args: readonly string[] = [], env = {}): Program {
  return new Program(t, process.execPath, [join('examples', name), ...args], [], env);
}

/** Starts a server, which says its port, and resolves to both. */
async function serve(
  t: ExecutionContext,
  name: string,
  ...args: string[]
): Promise<{ program: Program; port: number }> {
  const program = start(t, name, ['0', ...args]);
  const said = await program.matches(/port (\d+)|localhost:(\d+)/);
  return { program, port: Number(said[1] ?? said[2]) };
}

async function upstream(t: ExecutionContext, onSocket: (socket: Socket) => void): Promise<number> {
  const server = nodeNet.createServer({ allowHalfOpen: true }, onSocket).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  return (server.address() as nodeNet.AddressInfo).port;
}

function connect(t: ExecutionContext, port: number): Socket {
  const socket = nodeNet.connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  return socket;
}

/** What a server says to one who says `words` and ends. */
function ask(port: number, words = ''): Promise<string> {
  const socket = nodeNet.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(words);
  return text(socket);
}

/** The lines that a socket says, one a call. */
function linesOf(socket: Socket): () => Promise<string> {
  const lines = (async function* () {
    let unfinished = '';
    for await (const chunk of socket.setEncoding('utf8')) {
      const all = (unfinished + chunk).split('\n');
      unfinished = all.pop() ?? '';
      yield* all;
    }
  })();
  return async () => String((await lines.next()).value);
}

/** A port on which nothing listens. */
async function refusedPort(): Promise<number> {
  const server = nodeNet.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as nodeNet.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('the list of examples has all of them', (t) => {
  const folder = join(__dirname, '..', 'examples');
  const listed = readFileSync(join(folder, 'README.md'), 'utf8');
  t.deepEqual(
    readdirSync(folder).filter((name) => name !== 'README.md' && !listed.includes(`](${name})`)),
    [],
  );
});

test('proxy: what is said arrives, and the answer after the end', async (t) => {
  const target = await upstream(t, (socket) => {
    let heard = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk));
    socket.on('end', () => socket.end(`heard ${heard}`));
  });
  const { program, port } = await serve(t, 'proxy.js', `127.0.0.1:${target}`);
  t.is(await ask(port, 'hello'), 'heard hello');
  await program.says(`closed: 5 bytes to 127.0.0.1:${target}, 11 bytes back`);
});

test('proxy: a client of a server that cannot be reached, or resets, gets a reset', async (t) => {
  const refused = await refusedPort();
  const { program, port } = await serve(t, 'proxy.js', `127.0.0.1:${refused}`);
  const { code } = await t.throwsAsync<NodeJS.ErrnoException>(ask(port, 'hello'));
  t.is(code, 'ECONNRESET');
  await program.says('upstream: connect ECONNREFUSED');

  const target = await upstream(t, (socket) => socket.once('data', () => socket.resetAndDestroy()));
  const other = await serve(t, 'proxy.js', `127.0.0.1:${target}`);
  t.is((await t.throwsAsync<NodeJS.ErrnoException>(ask(other.port, 'hello'))).code, 'ECONNRESET');
});

test('load balancer: servers take turns, and one that refuses is passed over', async (t) => {
  const [one, two] = await Promise.all(['one', 'two'].map((name) => upstream(t, (socket) => void socket.end(name))));
  const refused = await refusedPort();
  const names = [one, refused, two].map((port) => `127.0.0.1:${port}`);
  const { program, port } = await serve(t, 'load-balancer.js', ...names);
  const heard: string[] = [];
  for (let n = 0; n < 6; n += 1) heard.push(await ask(port, 'hello'));
  // The second client met the one that refuses.
  t.deepEqual(heard, ['one', 'two', 'one', 'two', 'one', 'two']);
  t.is(program.output.split('is left out').length - 1, 1, program.output);
});

test('load balancer: without any server the client gets a reset', async (t) => {
  const { program, port } = await serve(t, 'load-balancer.js', `127.0.0.1:${await refusedPort()}`);
  t.is((await t.throwsAsync<NodeJS.ErrnoException>(ask(port, 'hello'))).code, 'ECONNRESET');
  await program.says('no server can be reached');
});

test('chat: members hear each other', async (t) => {
  const { port } = await serve(t, 'chat.js');
  const first = connect(t, port);
  const hear = linesOf(first);
  t.is(await hear(), 'you are guest 1');
  const second = connect(t, port);
  t.is(await hear(), 'guest 2 has come');
  second.write('hello\r\nmy name ');
  t.is(await hear(), 'guest 2: hello');
  second.end('is Ann\n');
  t.is(await hear(), 'guest 2: my name is Ann');
  t.is(await hear(), 'guest 2 has gone');
});

test('chat: a member who does not read is dropped, and the others hear everything', async (t) => {
  const { program, port } = await serve(t, 'chat.js');
  const listener = connect(t, port);
  const hear = linesOf(listener);
  await hear();
  const sleeper = connect(t, port).pause();
  await hear();
  const talker = connect(t, port).resume();
  t.is(await hear(), 'guest 3 has come');
  const words = 'x'.repeat(4000);
  let isDropped = false;
  const dropped = program.says('guest 2 reads too slowly').then(() => (isDropped = true));
  // Until the buffers of the kernel are full; they have a few megabytes. One line after the other, so that the listener
  // keeps up.
  let lines = 0;
  for (; !isDropped && lines < 100_000; lines += 1) {
    talker.write(`${words}\n`);
    let line = await hear();
    if (line === 'guest 2 has gone') line = await hear();
    if (line !== `guest 3: ${words}`) t.fail(line.slice(0, 50));
  }
  await dropped;
  t.true(lines > 10);
  sleeper.destroy();
});

test('http-app: routes, a streamed body, and an end in order', async (t) => {
  const { program, port } = await serve(t, 'http-app.js');
  const agent = new http.Agent({ keepAlive: true });
  const request = async (method: string, path: string, body = ''): Promise<string> => {
    const sent = http.request({ port, method, path, agent }).end(body);
    const [response] = (await once(sent, 'response')) as [http.IncomingMessage];
    return `${response.statusCode} ${await text(response)}`;
  };
  t.regex(await request('GET', '/health?why'), /^200 {"status":"ok","uptime":\d+}$/);
  t.is(await request('POST', '/upper', 'hello'), '200 HELLO');
  t.is(await request('GET', '/nothing'), '404 not found\n');
  if (process.platform === 'win32') return;
  // One request is under way when it is asked to end.
  const last = http.request({ port, method: 'POST', path: '/upper', headers: { Connection: 'close' } });
  last.write('first ');
  const [response] = (await once(last, 'response')) as [http.IncomingMessage];
  program.child.kill('SIGTERM');
  await program.says('closing');
  last.end('second');
  t.is(await text(response), 'FIRST SECOND');
  t.is(await program.status, 0, program.output);
  await program.says('closed');
});

test('ipc: calls, an unknown method, and who may connect', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ferronet-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const env = { IPC_PATH: localPath(folder, 'ipc') };
  const server = start(t, 'ipc.js', ['serve'], env);
  await server.says('serving');
  const call = async (...args: string[]): Promise<string> => {
    const program = start(t, 'ipc.js', ['call', ...args], env);
    t.is(await program.status, 0, program.output);
    return program.output;
  };
  t.is(await call('add', '1', '2', '3'), '6\n');
  t.is(await call('upper', 'hello'), 'HELLO\n');
  t.is(await call('constructor'), 'no method is called constructor\n');

  // Pieces and frames that are no messages do not end the server.
  const [half, long] = [Buffer.from([0, 0, 0, 9, 123]), Buffer.from([255, 255, 255, 255, 0])];
  for (const bytes of [half, long]) {
    const socket = nodeNet.connect(env.IPC_PATH).resume();
    socket.on('error', () => {});
    socket.end(bytes);
    await once(socket, 'close');
  }
  await server.says('the connection has ended within a message');
  await server.says('a message is too long');
  t.is(await call('add', '1', '1'), '2\n');

  if (process.platform === 'win32') return;
  t.is(statSync(env.IPC_PATH).mode & 0o077, 0);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  testOnUnix(`ipc: ${signal} ends the server and removes its file, and the next one can serve`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'ferronet-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const env = { IPC_PATH: localPath(folder, 'ipc') };
    for (let round = 0; round < 2; round += 1) {
      const server = start(t, 'ipc.js', ['serve'], env);
      await server.says('serving');
      server.child.kill(signal);
      t.is(await server.status, 0, server.output);
      t.throws(() => statSync(env.IPC_PATH), { code: 'ENOENT' });
    }
    const client = start(t, 'ipc.js', ['call', 'add', '1'], env);
    t.is(await client.status, 1);
    t.is(client.output, `connect ENOENT ${env.IPC_PATH}\n`);
  });
}

for (const [name, ...args] of [
  ['ipc.js'],
  ['ipc.js', 'call'],
  ['load-balancer.js'],
  ['load-balancer.js', '0', 'no-port'],
  ['proxy.js', '0', 'no-port'],
] as const) {
  test(`${[name, ...args].join(' ')}: the usage`, async (t) => {
    const program = start(t, name, args);
    t.is(await program.status, 1);
    t.regex(program.output, new RegExp(`^Usage: node examples/${name} .*\n$`));
  });
}

testOnUnix('reload: every client is answered while one generation replaces the other', async (t) => {
  const program = start(t, 'reload.js', ['0']);
  const port = Number((await program.matches(/generation 1 serves port (\d+)/))[1]);
  let isDone = false;
  const answers = new Map<string, number>();
  const client = async (): Promise<void> => {
    while (!isDone) {
      const answer = await ask(port);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  };
  const clients = Promise.all([client(), client(), client()]);
  for (const next of [2, 3]) {
    program.child.kill('SIGHUP');
    await program.says(`generation ${next} serves port ${port}`);
  }
  for (const before of [1, 2]) await program.says(`generation ${before} has ended with status 0`);
  t.is(await ask(port), 'generation 3\n');
  isDone = true;
  await clients;
  const names = [...answers.keys()];
  t.true(
    names.every((name) => /^generation [123]\n$/.test(name)),
    JSON.stringify(names),
  );
  t.true(answers.has('generation 1\n'));
  // When the supervisor ends, so does the last generation: its output ends.
  program.child.kill('SIGTERM');
  await program.status;
  t.is(program.output.split('has ended with status').length - 1, 2, program.output);
});

test('workers: connections go round, with what was said before they got there', async (t) => {
  const { program, port } = await serve(t, 'workers.js', '2');
  const answers = await Promise.all(Array.from({ length: 6 }, () => ask(port, '10\n')));
  const threads = new Map<string, number>();
  for (const answer of answers) {
    const [, thread = '', result] = /^thread (\d+): (\d+)\n$/.exec(answer) ?? [];
    t.is(result, '55', answer);
    threads.set(thread, (threads.get(thread) ?? 0) + 1);
  }
  t.deepEqual([...threads.values()], [3, 3], program.output);
});

test('broker client: it connects again, subscribes again and sends again what had no answer', async (t) => {
  const { program: broker, port } = await serve(t, 'broker.js');
  const client = start(t, 'broker-client.js', [String(port), 'news']);
  await client.says('subscribed to news');
  client.child.stdin.write('one\n');
  await client.says('heard one');
  await client.says('published one');

  broker.child.kill('SIGKILL');
  await client.says('connection lost');
  client.child.stdin.write('two\n');
  await client.says('ECONNREFUSED');
  t.false(client.output.includes('published two'));
  const again = start(t, 'broker.js', [String(port)]);
  await again.says(`broker on port ${port}`);
  await client.says('heard two');
  await client.says('published two');
});
