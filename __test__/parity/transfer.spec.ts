// Bytes: all of them, in order, whatever the chunks. How they are cut is the kernel's affair and not in the logs.
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';

import { parity } from '../_helpers/parity.js';

const SIZE = 4 << 20;

// Every position differs from its neighbours, so that nothing can be lost, doubled or swapped unseen.
function pattern(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE(Math.imul(at, 0x9e3779b1) >>> 0, at);
  return bytes;
}

async function received(socket: Socket): Promise<string> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return `${bytes} bytes ${hash.digest('hex')}`;
}

parity('4 MiB come back through pipe()', async (stage) => {
  const server = await stage.listening({ allowHalfOpen: true, data: false }, (accepted) => accepted.pipe(accepted));
  const client = stage.connect(server, { data: false });
  stage.log.forget('A');
  client.end(pattern(SIZE));
  const result = await received(client);
  // Where `finish` falls among the bytes that come back is chance.
  stage.log.forget('C');
  stage.log.note('result', result);
  stage.log.note('result', `read ${client.bytesRead} written ${client.bytesWritten}`);
  await stage.finish(server);
});

parity('many small writes arrive in order', async (stage) => {
  const server = await stage.listening({ data: false });
  const client = stage.connect(server, { data: false });
  const bytes = pattern(256 << 10);
  await stage.until(client, 'ready');
  for (let at = 0; at < bytes.length; at += 100) client.write(bytes.subarray(at, at + 100));
  client.end();
  stage.log.note('result', await received(await stage.accepted()));
  stage.log.forget('A', 'C');
  await stage.finish(server);
});

parity('corked writes of several kinds go out as one', async (stage) => {
  const server = await stage.listening({ data: false });
  const client = stage.connect(server, { data: false });
  await stage.until(client, 'ready');
  client.cork();
  client.write('é', 'latin1', stage.log.callback('C', 'latin1'));
  client.write('é', 'utf8', stage.log.callback('C', 'utf8'));
  client.write('ff00', 'hex', stage.log.callback('C', 'hex'));
  client.write('é', 'utf16le', stage.log.callback('C', 'utf16le'));
  client.write(new Uint16Array([0x0102]) as unknown as Uint8Array, stage.log.callback('C', 'Uint16Array'));
  client.write(Buffer.from([1, 2]), stage.log.callback('C', 'Buffer'));
  client.write('', stage.log.callback('C', 'empty'));
  stage.log.note('C', `writableLength=${client.writableLength}`);
  client.uncork();
  client.end();
  const accepted = await stage.accepted();
  let hex = '';
  accepted.on('data', (chunk: Buffer) => (hex += chunk.toString('hex')));
  await stage.closed(accepted, client);
  stage.log.note('result', `${hex} bytesWritten=${client.bytesWritten}`);
  await stage.finish(server);
});

parity('setEncoding puts characters together', async (stage) => {
  const server = await stage.listening({ data: false });
  const client = stage.connect(server, { data: false });
  const [accepted] = await Promise.all([stage.accepted(), stage.until(client, 'ready')]);
  const text: string[] = [];
  accepted.setEncoding('utf8').on('data', (piece: string) => text.push(piece));
  const euro = Buffer.from('€');
  client.write(euro.subarray(0, 1));
  // The rest is sent when the first byte has been read.
  while (accepted.bytesRead === 0) await new Promise(setImmediate);
  client.end(euro.subarray(1));
  await stage.closed(accepted);
  stage.log.note('result', JSON.stringify(text));
  await stage.finish(server);
});

parity('pause() holds back, resume() gives all', async (stage) => {
  const server = await stage.listening({ data: false }, (accepted) => accepted.end(pattern(SIZE)));
  const client = stage.connect(server, { data: false });
  stage.log.forget('A', 'C');
  const hash = createHash('sha256');
  let bytes = 0;
  let pauses = 0;
  client.on('data', (chunk: Buffer) => {
    if (client.isPaused()) stage.log.note('sum', 'data while paused');
    hash.update(chunk);
    bytes += chunk.length;
    if (pauses < 20) {
      pauses += 1;
      client.pause();
      setImmediate(() => client.resume());
    }
  });
  await stage.closed(client);
  stage.log.note('sum', `${bytes} bytes ${hash.digest('hex')} after ${pauses} pauses`);
  await stage.finish(server);
});

parity('read() takes what it is asked for', async (stage) => {
  const server = await stage.listening({}, (accepted) => accepted.end('abcdef'));
  const client = stage.connect(server, { data: false });
  client.on('readable', () => {
    for (let piece = client.read(2) as Buffer | null; piece; piece = client.read(2) as Buffer | null) {
      stage.log.note('read', piece.toString());
    }
  });
  await stage.closed(client);
  await stage.finish(server);
});
