// What is pending when a connection is sent to another process: bytes that were read and not consumed, and bytes that were
// written and not sent. They go along to a process that has ferronet; for another one the send waits, or is refused.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';

import type { ExecutionContext } from 'ava';

import { listening, numbered, withResolvers } from './_helpers/both.js';
import { bytesOf, Peer, readsAhead } from './_helpers/busy.js';
import { ours } from './_helpers/implementations.js';
import type { Report } from './_helpers/ipc-child.js';
import { type Makes, type Pair, paired } from './_helpers/ipc-pair.js';

type Run = (t: ExecutionContext, pair: Pair, makes: Makes) => Promise<void>;

/** From ferronet to a child with ferronet, to one with node:net, or to both. */
const fromOurs = (title: string, run: Run, to?: 'ferronet' | 'node:net'): void =>
  paired(title, run, { only: ours, to, serial: true });

/** Windows takes all of any write. */
const onUnix: typeof fromOurs = process.platform === 'win32' ? () => {} : fromOurs;

/** Sends with a callback, and answers its error. */
function sent(pair: Pair, errand: object, socket: Socket): Promise<Error | null> {
  return new Promise((resolve) => void pair.child.send(errand, socket, resolve));
}

/** What the child reports next. */
async function read(pair: Pair): Promise<Report> {
  return (await pair.report())[0];
}

function report(bytes: Buffer | string): Report {
  return { read: createHash('sha256').update(bytes).digest('hex'), size: bytes.length };
}

/** All up to the end, which leaves the other direction open. */
async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

function handleOf(socket: Socket): { writeQueueSize: number; readQueueSize: number } | null {
  return (socket as unknown as { _handle: { writeQueueSize: number; readQueueSize: number } | null })._handle;
}

/** Reads `length` bytes, and leaves the connection open. */
function receive(client: Socket, length: number): Promise<void> {
  return new Promise((resolve) => {
    let got = 0;
    client.on('data', (chunk: Buffer) => {
      got += chunk.length;
      if (got === length) resolve();
    });
  });
}

/** Pauses a connection with `rest` bytes read ahead, in a listener of its header, and runs `act` there. */
async function withReadAhead(
  pair: Pair,
  rest: number,
  act: (socket: Socket) => void,
  isExpected: boolean = readsAhead,
): Promise<Buffer> {
  const server = pair.net.createServer({ allowHalfOpen: true }, (socket) => {
    server.close();
    socket.once('data', () => {
      peer.computeUntilReadAhead(socket, isExpected);
      socket.pause();
      act(socket);
    });
  });
  const peer = new Peer(await listening(server), 'header', rest);
  return peer.answer;
}

const REST = 40_000;

fromOurs('read ahead of a listener that computes', async (t, pair, { child }) => {
  // It is known now whether the child has ferronet. For one that has not, nothing is read ahead any more.
  const [, first] = await pair.connection();
  await pair.hand({ do: 'keep' }, first);
  const isExpected = child === 'ferronet' && readsAhead;
  const answer = withReadAhead(
    pair,
    REST,
    (socket) => {
      t.is(handleOf(socket)?.readQueueSize, isExpected ? REST : 0);
      pair.send({ do: 'read' }, socket);
    },
    isExpected,
  );
  await pair.report();
  t.deepEqual(await read(pair), report(bytesOf(REST)));
  t.is(String(await answer), 'read');
});

fromOurs('read ahead, and the first connection of all', async (t, pair, { child }) => {
  const outcome = withResolvers<[Socket, Error | null]>();
  const answer = withReadAhead(pair, REST, (socket) => {
    t.is(handleOf(socket)?.readQueueSize, readsAhead ? REST : 0);
    void sent(pair, { do: 'read' }, socket).then((error) => outcome.resolve([socket, error]));
    // Sent behind it.
    pair.send({ do: 'say', text: '' });
  });
  const [socket, error] = await outcome.promise;
  if (child === 'ferronet' || !readsAhead) {
    t.is(error, null);
    t.is(((await pair.report())[0] as { made: string }).made, child);
    const told = [await read(pair), await read(pair)].sort((a) => ('made' in a ? -1 : 1));
    t.deepEqual(told, [{ made: 'nothing' }, report(bytesOf(REST))]);
    t.is(String(await answer), 'read');
    return;
  }
  t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_STATE');
  t.regex((error as Error).message, /40000 bytes of it were read ahead/);
  t.deepEqual((await pair.report())[0], { made: 'nothing' });
  // It is this side's as before.
  t.true(socket.isPaused());
  t.true(bytesOf(REST).equals(await readAll(socket.resume())));
  socket.end('still here');
  t.is(String(await answer), 'still here');
});

fromOurs(
  'refused without a callback: the connection is closed with the error',
  async (t, pair) => {
    if (!readsAhead) {
      t.pass();
      return;
    }
    const failed = withResolvers<Error>();
    const answer = withReadAhead(pair, REST, (socket) => {
      socket.once('error', failed.resolve);
      pair.send({ do: 'read' }, socket);
    });
    t.is(((await failed.promise) as NodeJS.ErrnoException).code, 'ERR_INVALID_STATE');
    await answer;
  },
  'node:net',
);

fromOurs(
  'a message that cannot be sent, with bytes that could',
  async (t, pair) => {
    const [, first] = await pair.connection();
    await pair.hand({ do: 'keep' }, first);
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const given = withResolvers<Socket>();
    const answer = withReadAhead(pair, REST, (socket) => {
      t.throws(() => pair.child.send(circle as object, socket), { instanceOf: TypeError });
      given.resolve(socket);
    });
    const socket = await given.promise;
    t.true(bytesOf(REST).equals(await readAll(socket.resume())));
    // The next one is not taken for it.
    await pair.hand({ do: 'say', text: 'the next' }, (await pair.connection())[1]);
    socket.end('still here');
    t.is(String(await answer), 'still here');
  },
  'ferronet',
);

fromOurs('what the stream has goes along, or stays as with node:net', async (t, pair, { child }) => {
  const [, first] = await pair.connection();
  await pair.hand({ do: 'keep' }, first);
  const [client, accepted] = await pair.connection();
  accepted.once('readable', () => {});
  const bytes = numbered(1000);
  client.write(bytes);
  while (accepted.readableLength < bytes.length) await new Promise(setImmediate);
  await pair.hand({ do: 'read' }, accepted);
  client.end('and more');
  t.deepEqual(
    await read(pair),
    report(child === 'ferronet' ? Buffer.concat([bytes, Buffer.from('and more')]) : 'and more'),
  );
  t.deepEqual(accepted.read(), child === 'ferronet' ? null : bytes);
});

fromOurs('an end that was read and not emitted comes again', async (t, pair) => {
  const [, first] = await pair.connection();
  await pair.hand({ do: 'keep' }, first);
  const accepted = withResolvers<Socket>();
  const answer = withReadAhead(pair, 0, accepted.resolve);
  const socket = await accepted.promise;
  // The driver has received FIN by then.
  await new Promise((resolve) => void setTimeout(resolve, 30));
  await pair.hand({ do: 'read' }, socket);
  t.deepEqual(await read(pair), report(''));
  t.is(String(await answer), 'read');
});

onUnix('what was written before goes before what the child writes', async (t, pair, { child }) => {
  const [client, accepted] = await pair.connection();
  const bytes = numbered(8 << 20);
  const written: (Error | null | undefined)[] = [];
  accepted.write(bytes.subarray(0, 6 << 20), (error) => written.push(error));
  accepted.write(bytes.subarray(6 << 20), (error) => written.push(error));
  t.true((handleOf(accepted)?.writeQueueSize ?? 0) > 0);
  t.true(accepted.writableLength > 0);
  // A process without ferronet has it when the peer has read.
  const got = child === 'ferronet' ? undefined : buffer(client);
  const { made } = (await pair.hand({ do: 'say', text: 'the end' }, accepted)) as { made: string };
  t.is(made, child);
  const all = await (got ?? buffer(client));
  t.is(all.length, bytes.length + 7);
  t.true(bytes.equals(all.subarray(0, bytes.length)));
  t.is(String(all.subarray(-7)), 'the end');
  t.deepEqual(written.filter(Boolean), []);
  t.is(written.length, 2);
});

onUnix(
  'what was reported as written arrives, although the child destroys the socket',
  async (t, pair) => {
    const [client, accepted] = await pair.connection();
    const bytes = numbered(8 << 20);
    const written = new Promise((resolve) => void accepted.write(bytes, resolve));
    await pair.hand({ do: 'destroy' }, accepted);
    t.falsy(await written);
    t.true(bytes.equals(await buffer(client)));
  },
  'ferronet',
);

onUnix('an end behind it, and the child reads on', async (t, pair, { child }) => {
  const [client, accepted] = await pair.connection();
  client.allowHalfOpen = true;
  const bytes = numbered(6 << 20);
  accepted.end(bytes);
  t.true((handleOf(accepted)?.writeQueueSize ?? 0) > 0);
  const got = child === 'ferronet' ? undefined : readAll(client);
  await pair.hand({ do: 'read' }, accepted);
  const all = await (got ?? readAll(client));
  t.true(bytes.equals(all));
  client.end('from the peer');
  t.deepEqual(await read(pair), report('from the peer'));
});

fromOurs('what a callback has written a moment before', async (t, pair) => {
  const [client, accepted] = await pair.connection();
  const got = text(client);
  accepted.once('data', () => {
    accepted.write('one ');
    accepted.cork();
    accepted.write('two ');
    pair.send({ do: 'say', text: 'three' }, accepted);
  });
  accepted.resume();
  client.write('go');
  t.is(await got, 'one two three');
});

onUnix('a peer that reads nothing', async (t, pair, { child }) => {
  const [client, accepted, server] = await pair.connection();
  const bytes = numbered(8 << 20);
  accepted.write(bytes);
  const error = sent(pair, { do: 'say', text: 'the end' }, accepted);
  pair.send({ do: 'say', text: '' });
  if (child === 'ferronet') {
    t.is(await error, null);
  } else {
    // As long as it may wait, and no longer.
    const refusal = (await error) as NodeJS.ErrnoException;
    t.is(refusal.code, 'ERR_INVALID_STATE');
    t.regex(refusal.message, /peer has not read what was written/);
    t.is((server as unknown as { _connections: number })._connections, 1);
    accepted.end('the end');
  }
  // What was sent behind it has not waited for ever.
  let told: Report;
  do [told] = await pair.report();
  while (!('made' in told) || told.made !== 'nothing');
  const all = await buffer(client);
  t.true(bytes.equals(all.subarray(0, bytes.length)));
  t.is(String(all.subarray(bytes.length)), 'the end');
});

onUnix('a disconnect while it waits: the connection goes first', async (t, pair) => {
  const [client, accepted] = await pair.connection();
  const bytes = numbered(8 << 20);
  accepted.write(bytes);
  const disconnected = once(pair.child, 'disconnect');
  pair.send({ do: 'say', text: 'the end' }, accepted);
  pair.child.disconnect();
  t.false(pair.child.connected);
  const all = await buffer(client);
  t.is(all.length, bytes.length + 7);
  await disconnected;
});

onUnix(
  'a child that dies while it waits',
  async (t, pair) => {
    const [client, accepted, server] = await pair.connection();
    const [, other] = await pair.connection();
    const bytes = numbered(8 << 20);
    accepted.write(bytes);
    const first = sent(pair, { do: 'keep' }, accepted);
    const second = sent(pair, { do: 'keep' }, other);
    const disconnected = once(pair.child, 'disconnect');
    pair.child.kill('SIGKILL');
    for (const error of [await first, await second]) {
      t.is((error as NodeJS.ErrnoException).code, 'ERR_IPC_CHANNEL_CLOSED');
    }
    await disconnected;
    t.is((server as unknown as { _connections: number })._connections, 1);
    accepted.end('still here');
    other.end();
    const all = await buffer(client);
    t.true(bytes.equals(all.subarray(0, bytes.length)));
    t.is(String(all.subarray(bytes.length)), 'still here');
  },
  'node:net',
);

onUnix('a server that is closed while its connection waits', async (t, pair) => {
  const [client, accepted, server] = await pair.connection();
  accepted.write(numbered(8 << 20));
  pair.send({ do: 'keep' }, accepted);
  const order: string[] = [];
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      order.push('closed');
      resolve();
    });
  });
  const got = receive(client, 8 << 20);
  await pair.report();
  await got;
  order.push('the child has it');
  pair.send({ do: 'end' });
  await closed;
  t.deepEqual(order, ['the child has it', 'closed']);
});

onUnix('keepOpen: what was written before comes first, and the rest stays in order', async (t, pair) => {
  const [client, accepted] = await pair.connection();
  const got = buffer(client);
  const bytes = numbered(8 << 20);
  accepted.write(bytes);
  await pair.hand({ do: 'greet', text: 'from the child' }, accepted, { keepOpen: true });
  // The child has written it.
  await pair.report();
  accepted.end('from the parent');
  const all = await got;
  t.true(bytes.equals(all.subarray(0, bytes.length)));
  t.is(String(all.subarray(bytes.length)), 'from the childfrom the parent');
});

fromOurs('a server with connections that were accepted while JavaScript computed', async (t, pair) => {
  const server: Server = pair.net.createServer((socket) => void socket.end('by the parent'));
  const port = await listening(server);
  await pair.hand({ do: 'keep' }, (await pair.connection())[1]);
  const peers = Array.from({ length: 8 }, () => new Peer(port, '', 0));
  while (!peers.every((peer) => peer.isConnected));
  // With a thread that drives they are accepted.
  const until = Date.now() + 100;
  while (Date.now() < until);
  pair.send({ do: 'serve' }, server);
  const closed = once(server, 'close');
  server.close();
  for (const peer of peers) peer.goOn();
  for (const answer of await Promise.all(peers.map((peer) => peer.answer)))
    t.regex(String(answer), /^(by the parent|served by \d+)$/);
  await closed;
});
