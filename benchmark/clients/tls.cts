// Puts load on a TLS server and prints what it measured, as `ferronet-load` does. It is of node:tls, whatever the server
// is: at most as fast as the server, so with the cores for it there are several of them.
//
//     tls.cjs echo       --port P --connections N --bytes B --seconds S --warm-up S --process PID [--rate R]
//     tls.cjs https      (the same, without --bytes: requests over kept connections)
//     tls.cjs handshakes (the same, without --bytes and --rate: connect, handshake, close)
//
// With a rate, in messages a second, each is due at a time of its own, and its latency counts from then. A connection
// has one under way.
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { parseArgs } from 'node:util';

import { Recorder } from './recorder.cjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string' },
    connections: { type: 'string' },
    bytes: { type: 'string', default: '1' },
    seconds: { type: 'string' },
    'warm-up': { type: 'string' },
    process: { type: 'string' },
    rate: { type: 'string' },
  },
});
const mode = positionals[0] ?? '';
const port = Number(values.port);
const connections = Number(values.connections);

/** Milliseconds from one look at what is due to the next. */
const TICK = 1;
/** As in `load.rs`: ports of a closed connection are taken for a while. */
const ADDRESSES = process.platform === 'linux' ? 200 : 1;

let opened = 0;

async function open(): Promise<TLSSocket> {
  opened++;
  const host = mode === 'handshakes' ? `127.0.0.${1 + (opened % ADDRESSES)}` : '127.0.0.1';
  const socket = connect({ port, host, rejectUnauthorized: false });
  socket.setNoDelay(true);
  await once(socket, 'secureConnect');
  return socket;
}

interface Message {
  request: Buffer;
  /** How long the answer is, from its first piece. */
  lengthOf: (first: Buffer) => number;
}

function responseLength(first: Buffer): number {
  const text = first.toString('latin1');
  const length = /^HTTP\/1\.1 200 .*\r\nContent-Length: (\d+)\r\n/is.exec(text)?.[1];
  const head = text.indexOf('\r\n\r\n');
  if (length === undefined || head < 0) throw new Error(`not the answer that was asked for: ${text}`);
  return head + 4 + Number(length);
}

const messages: Record<string, () => Message> = {
  echo: () => ({ request: Buffer.alloc(Number(values.bytes), 'x'), lengthOf: () => Number(values.bytes) }),
  https: () => ({ request: Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), lengthOf: responseLength }),
};

/** When the messages of a connection are due; as soon as it can send them, without a rate. */
type Due = (turn: number) => number | undefined;

/** Sends messages over a connection, each when it is due and the one before is answered, until the time is up. */
function exchange(socket: TLSSocket, { request, lengthOf }: Message, due: Due, recorder: Recorder): Promise<unknown> {
  let turn = 0;
  let since = 0;
  let missing = 0;
  let timer: NodeJS.Timeout | undefined;
  const send = (now: number): void => {
    const at = due(turn);
    if (recorder.isOver) socket.end();
    else if (at !== undefined && at > now) timer = setTimeout(() => send(performance.now()), Math.max(TICK, at - now));
    else {
      since = at ?? now;
      turn++;
      socket.write(request);
    }
  };
  socket.on('data', (data: Buffer) => {
    if (missing === 0) missing = lengthOf(data);
    missing -= data.length;
    if (missing < 0) throw new Error('more than the answer');
    if (missing === 0) send(recorder.record(since));
  });
  send(performance.now());
  return once(socket, 'close').finally(() => clearTimeout(timer));
}

async function exchangeAll(message: Message, recorder: () => Recorder): Promise<Recorder> {
  const sockets = await Promise.all(Array.from({ length: connections }, open));
  const began = performance.now();
  const rate = Number(values.rate ?? 0);
  const all = recorder();
  const due =
    (first: number): Due =>
    (turn) =>
      rate > 0 ? began + ((first + turn * connections) / rate) * 1000 : undefined;
  await Promise.all(sockets.map((socket, first) => exchange(socket, message, due(first), all)));
  return all;
}

async function shakeHands(recorder: Recorder): Promise<void> {
  let since = performance.now();
  while (!recorder.isOver) {
    const socket = await open();
    socket.resume().end();
    await once(socket, 'close');
    since = recorder.record(since);
  }
}

async function run(): Promise<Recorder> {
  const create = (): Recorder =>
    new Recorder({
      warmUp: Number(values['warm-up']) * 1000,
      measured: Number(values.seconds) * 1000,
      pid: Number(values.process),
    });
  if (mode === 'handshakes') {
    const recorder = create();
    await Promise.all(Array.from({ length: connections }, () => shakeHands(recorder)));
    return recorder;
  }
  const message = messages[mode];
  if (!message) throw new Error(`there is no mode ${mode}`);
  return exchangeAll(message(), create);
}

process.stdin.on('end', () => process.exit()).resume();
void run().then(
  (recorder) => process.stdout.write(`${JSON.stringify(recorder.result())}\n`),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
