// What a server does with each of its connections: the same lines for every implementation of `net`.
import type { Server, Socket } from 'node:net';

/** The part of `node:net` that the programs use. */
export interface Net {
  connect(options: { port: number; host: string; noDelay: boolean }): Socket;
  createServer(options: { noDelay: boolean }, onConnection: (socket: Socket) => void): Server;
}

export interface Settings {
  /** Where a proxy connects to. */
  upstream: number;
  /** Size of a message of `writes`. */
  bytes: number;
  /** How many of them answer a request. */
  batch: number;
  /** Microseconds for which `echo-work` computes. */
  work: number;
}

export type Program = (socket: Socket, settings: Settings, net: Net) => void;

const CHUNK = Buffer.alloc(65_536, 'x');

/** Keeps the thread busy, as JavaScript that computes does. */
export function compute(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

function proxy(a: Socket, { upstream }: Settings, net: Net): void {
  const b = net.connect({ port: upstream, host: '127.0.0.1', noDelay: true });
  b.on('error', () => a.destroy());
  a.on('error', () => b.destroy());
  a.pipe(b);
  b.pipe(a);
}

export const programs: Record<string, Program> = {
  echo: (socket) => socket.on('data', (data) => socket.write(data)),

  'echo-work': (socket, { work }) =>
    socket.on('data', (data) => {
      compute(work / 1000);
      socket.write(data);
    }),

  pipe: (socket) => socket.pipe(socket),

  proxy,

  sink: (socket) => socket.on('data', () => {}),

  source(socket) {
    const fill = (): void => {
      while (socket.write(CHUNK));
    };
    socket.on('drain', fill);
    fill();
  },

  writes(socket, { bytes, batch }) {
    const message = Buffer.alloc(bytes, 'x');
    socket.on('data', (requests) => {
      for (let n = requests.length * batch; n > 0; n--) socket.write(message);
    });
  },

  // Serves nothing: `connect.cts` does the work.
  connect: (socket) => socket.destroy(),
};
