// Options of sockets and servers that can be seen from JavaScript: what they make of the socket, and what of its data.
import type { OnReadOpts, ServerOpts, Socket, SocketConstructorOpts } from 'node:net';

import { parity } from '../_helpers/parity.js';
import type { Stage } from '../_helpers/stage.js';

const marks = (socket: Socket): string =>
  `highWaterMark ${socket.readableHighWaterMark}/${socket.writableHighWaterMark} allowHalfOpen=${socket.allowHalfOpen}`;

const constructed: Record<string, SocketConstructorOpts & { highWaterMark?: unknown; readableHighWaterMark?: number }> =
  {
    'a highWaterMark': { highWaterMark: 100 },
    'a highWaterMark of 0': { highWaterMark: 0 },
    'two highWaterMarks': { readableHighWaterMark: 10, highWaterMark: 20 },
    'half open': { allowHalfOpen: true },
    'writable: false without a descriptor': { writable: false },
    'readable: false without a descriptor': { readable: false },
  };

for (const [title, options] of Object.entries(constructed)) {
  parity(`a socket with ${title}`, async (stage) => {
    const server = await stage.listening({ data: false }, (accepted) => void accepted.resume());
    stage.log.forget('A');
    const client = stage.connect(server, options);
    // The default is what later Nodes have.
    if ('highWaterMark' in options) stage.log.note('C', marks(client));
    await stage.until(client, 'ready');
    stage.log.note('C', `write returned ${client.write('0123456789')}`);
    client.end();
    await stage.closed(client);
    await stage.finish(server);
  });
}

const served: Record<string, ServerOpts & { highWaterMark?: number }> = {
  'a highWaterMark': { highWaterMark: 100 },
  'a negative highWaterMark': { highWaterMark: -1 },
  'half open': { allowHalfOpen: true },
  'noDelay and keepAlive': { noDelay: true, keepAlive: true, keepAliveInitialDelay: 3500 },
};

for (const [title, options] of Object.entries(served)) {
  parity(`what a server accepts with ${title}`, async (stage) => {
    const server = await stage.listening(options, (accepted) => {
      const { noDelay, keepAlive, keepAliveInitialDelay } = (accepted as unknown as { server: Record<string, unknown> })
        .server;
      if ((options.highWaterMark ?? -1) >= 0) stage.log.note('A', marks(accepted));
      stage.log.note('A', `of the server: ${String(noDelay)} ${String(keepAlive)} ${String(keepAliveInitialDelay)}`);
      accepted.end();
    });
    const client = stage.connect(server);
    await stage.closed(client);
    await stage.finish(server);
  });
}

async function received(stage: Stage, onread: OnReadOpts, text: string): Promise<void> {
  const server = await stage.listening({}, (accepted) => accepted.end(text));
  const client = stage.connect(server, { onread } as SocketConstructorOpts);
  await stage.closed(client);
  stage.log.note('C', `bytesRead=${client.bytesRead}`);
  await stage.finish(server);
}

parity('onread with a buffer', async (stage) => {
  const pieces: string[] = [];
  const buffer = Buffer.alloc(4);
  const callback = (size: number, bytes: Uint8Array): boolean => {
    pieces.push(Buffer.from(bytes.subarray(0, size)).toString() + String(bytes === buffer));
    return true;
  };
  await received(stage, { buffer, callback }, '0123456789');
  stage.log.note('pieces', pieces.join(' '));
});

parity('onread with a function that gives buffers', async (stage) => {
  const sizes: number[] = [];
  const callback = (size: number): boolean => sizes.push(size) > 0;
  const buffer = (): Uint8Array => new Uint8Array(3);
  await received(stage, { buffer, callback }, '0123456789');
  stage.log.note('pieces', sizes.join(' '));
});

parity('onread pauses with false, until resume()', async (stage) => {
  const server = await stage.listening({}, (accepted) => accepted.end('0123456789'));
  let count = 0;
  const callback = (size: number): boolean => {
    stage.log.note('pieces', `${size}`);
    count += 1;
    if (count === 1) setImmediate(() => client.resume());
    return count !== 1;
  };
  const client: Socket = stage.connect(server, {
    onread: { buffer: Buffer.alloc(4), callback },
  } as SocketConstructorOpts);
  await stage.closed(client);
  await stage.finish(server);
});

parity(
  'the type of service is remembered, and set',
  async (stage) => {
    type Marked = Socket & { setTypeOfService: (tos: number) => Socket; getTypeOfService: () => number };
    const client = stage.socket('C', { typeOfService: 8 } as SocketConstructorOpts) as Marked;
    const server = await stage.listening();
    const note = (label: string): void => stage.log.note('tos', `${label} ${client.getTypeOfService()}`);
    note('fresh');
    stage.log.note('tos', `returns itself: ${client.setTypeOfService(16) === client}`);
    note('remembered');
    client.connect(stage.portOf(server), '127.0.0.1');
    await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
    note('connected');
    client.setTypeOfService(32);
    note('set');
    client.destroy();
    await stage.closed(client);
    note('closed');
    stage.log.forget('C', 'A', 'S');
    await stage.finish(server);
  },
  {
    since: 26,
    node26: { tos: ['fresh 8', 'returns itself: true', 'remembered 16', 'connected 16', 'set 32', 'closed 32'] },
    not: ['win32'],
  },
);
