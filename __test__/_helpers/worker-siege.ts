// A program: workers that come and go, each at some moment of what it is about. Arguments: how many, how many at once,
// and the address and port of a black hole.
// Prints a `Siege`; fails by an error of the main thread or a crash.
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isMainThread, parentPort, threadId, Worker, workerData } from 'node:worker_threads';

import net, { type AddressInfo, type Server, type Socket } from 'ferronet';

import { localPath } from './local-path.js';

export interface Siege {
  /** By what they were about, and how they ended. */
  ended: Record<string, number>;
  /** Bytes that the main thread has echoed, and sockets that it was given. */
  echoed: number;
  given: number;
  /** Of the process, after a tenth of the workers and after all. */
  descriptors: [number, number];
  threads: [number, number];
  /** Resident bytes. */
  memory: [number, number];
}

interface Place {
  host: string;
  port: number;
}

interface Places {
  path: string;
  main: Place;
  deaf: Place;
  hole: Place;
}

// ---- the workers

const { path: prefix, main, deaf, hole } = (workerData ?? {}) as Places;
const ignore = (): void => {};
const echo = (socket: Socket): void => void socket.on('error', ignore).pipe(socket);
const here = (server: Server): Place => ({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });

function keepsSending(socket: Socket, size: number): Socket {
  socket.on('error', ignore).on('data', (chunk: Buffer) => socket.write(chunk));
  socket.write(Buffer.alloc(size, 1));
  return socket;
}

/** What a worker is about. It ends at any moment after it has called back, or ends by itself. */
const parts: Record<string, (ready: () => void) => void> = {
  'nothing yet': (ready) => {
    net.createServer();
    ready();
  },
  'open servers': (ready) => {
    const server = net.createServer(echo).listen(0, '127.0.0.1');
    net.createServer(echo).listen(`${prefix}-${threadId}`, () => net.connect(here(server), ready));
  },
  'sockets under load': (ready) => {
    const server = net.createServer(echo).listen(0, '127.0.0.1', () => {
      for (let i = 0; i < 3; i++) keepsSending(net.connect(here(server)), 20_000).once('data', ready);
    });
  },
  'a relay under load': (ready) => {
    const server = net.createServer((socket) => {
      const onward = net.connect(here(server)).on('error', ignore);
      socket.on('error', ignore).pipe(onward).pipe(socket);
      server.removeAllListeners('connection').on('connection', echo);
    });
    server.listen(0, '127.0.0.1', () => keepsSending(net.connect(here(server)), 100_000).once('data', ready));
  },
  'pending connects': (ready) => {
    for (let i = 0; i < 3; i++) net.connect(hole).on('error', ignore);
    net.connect(deaf).on('error', ignore);
    setImmediate(ready);
  },
  'writes that are not read': (ready) => {
    const socket = net.connect(deaf, ready).on('error', ignore);
    for (let i = 0; i < 20; i++) socket.write(Buffer.alloc(100_000));
  },
  'the main thread at the other end': (ready) => {
    keepsSending(net.connect(main), 50_000).once('data', ready);
  },
  'sockets on their way to another thread': (ready) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const client = net.connect(here(server)).on('error', ignore);
      server.once('connection', (socket) => {
        client.write('unread');
        parentPort!.postMessage(socket, [socket as never]);
        ready();
      });
    });
  },
  'an end of its own': () => {
    const server = net.createServer(echo).listen(0, '127.0.0.1', () => {
      net
        .connect(here(server))
        .on('close', () => server.close())
        .end('bye')
        .resume();
    });
  },
  'process.exit()': () => {
    keepsSending(net.connect(main), 50_000).once('data', () => process.exit());
  },
  'an error that is not caught': () => {
    keepsSending(net.connect(main), 50_000).once('data', () => {
      throw new Error('of the siege');
    });
  },
};

// ---- the main thread

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, milliseconds));
const names = Object.keys(parts);
const siege: Siege = { ended: {}, echoed: 0, given: 0, descriptors: [0, 0], threads: [0, 0], memory: [0, 0] };

function listed(folder: string): number {
  return process.platform === 'linux' ? readdirSync(`/proc/self/${folder}`).length : 0;
}

/** Waits for what ends a moment later than its worker. */
async function settled(): Promise<[number, number, number]> {
  let least: [number, number] = [Infinity, Infinity];
  for (let tries = 0; tries < 20; tries++) {
    least = [Math.min(least[0], listed('fd')), Math.min(least[1], listed('task'))];
    await pause(10);
  }
  globalThis.gc?.();
  return [...least, process.memoryUsage.rss()];
}

async function one(name: string, places: Places): Promise<void> {
  const worker = new Worker(__filename, { argv: [name], workerData: places });
  worker.on('error', (error: Error) => {
    if (error.message !== 'of the siege') throw error;
  });
  // Not by `once`, which an error ends, and the exit may come in the same turn.
  const exit = new Promise((resolve) => void worker.once('exit', resolve));
  worker.on('message', (message: string | Socket) => {
    if (typeof message !== 'string') {
      siege.given++;
      message.on('error', ignore).on('data', () => message.destroy());
      return;
    }
    // At once, or in the middle of what it is about.
    const after = Math.floor(Math.random() * 4);
    if (after === 0) void worker.terminate();
    else setTimeout(() => void worker.terminate(), after);
  });
  await exit;
  siege.ended[name] = (siege.ended[name] ?? 0) + 1;
}

async function besiege(count: number, atOnce: number, hole: Place): Promise<void> {
  const path = localPath(tmpdir(), `ferronet-siege-${process.pid}`);
  const server = net.createServer((socket) => {
    socket.on('data', ({ length }) => (siege.echoed += length));
    echo(socket);
  });
  server.listen(0, '127.0.0.1');
  // Reads after a while, so that it notices the end of its connections.
  const silent = net.createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', ignore);
    setTimeout(() => socket.resume(), 100);
  });
  silent.listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(silent, 'listening')]);
  const places: Places = {
    path,
    main: here(server),
    deaf: here(silent),
    hole,
  };
  let started = 0;
  const some = async (until: number): Promise<void> => {
    const next = async (): Promise<void> => {
      while (started < until) await one(names[started++ % names.length]!, places);
    };
    await Promise.all(Array.from({ length: atOnce }, next));
  };
  await some(Math.ceil(count / 10));
  const before = await settled();
  await some(count);
  const after = await settled();
  siege.descriptors = [before[0], after[0]];
  siege.threads = [before[1], after[1]];
  siege.memory = [before[2], after[2]];
  server.close();
  silent.close();
  console.log(JSON.stringify(siege));
  process.exit();
}

const [, , first = '', atOnce, host = '', port] = process.argv;
if (isMainThread) void besiege(Number(first), Number(atOnce), { host, port: Number(port) });
else parts[first]!(() => parentPort!.postMessage('ready'));
