// A program for a child process: receives sockets, servers and handles from its parent with the module that NET names, and
// reports which implementation they are of.
import { createHash } from 'node:crypto';
import nodeNet from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import type { Net } from './implementations.js';

/** What goes with a handle, and so what the child is to do with it. */
export type Errand =
  | { do: 'echo' }
  | { do: 'say'; text: string }
  | { do: 'keep' }
  | { do: 'read' }
  | { do: 'greet'; text: string }
  | { do: 'end' }
  | { do: 'destroy' }
  | { do: 'serve' }
  | { do: 'listen' }
  | { do: 'bring'; keepOpen?: boolean };

export type Report =
  | { read: string; size: number }
  | { made: string; remotePort?: number | undefined }
  | { port: number }
  | { brought: true };

const net = require(process.env['NET'] ?? 'node:net') as Net;

function make(handle: unknown): string {
  if (handle === undefined) return 'nothing';
  if (handle instanceof nodeNet.Socket || handle instanceof nodeNet.Server) return 'node:net';
  if (handle instanceof net.Socket || handle instanceof net.Server) return 'ferronet';
  return 'handle';
}

// The parent may have disconnected.
const tell = (report: Report): void => void process.send?.(report, () => {});
const kept: Socket[] = [];

const greet = (socket: Socket): void => {
  socket.on('error', () => {});
  socket.end(`served by ${process.pid}`);
};

process.on('message', (errand: Errand, handle: unknown) => {
  const socket = handle as Socket;
  // The test may be over before the peer has read everything.
  if (handle && 'remotePort' in socket) socket.on('error', () => {});
  if (errand.do !== 'end' && errand.do !== 'bring') {
    tell({ made: make(handle), ...(handle && 'remotePort' in socket ? { remotePort: socket.remotePort } : {}) });
  }
  switch (errand.do) {
    case 'echo':
      socket?.pipe(socket);
      break;
    case 'say':
      socket?.end(errand.text);
      break;
    case 'keep':
      socket?.resume();
      kept.push(socket);
      break;
    case 'greet':
      // And stays; reports when the write has completed.
      socket?.write(errand.text, () => tell({ made: 'written' }));
      break;
    case 'read': {
      // Reports what was read; then this side ends.
      const [hash, sizes] = [createHash('sha256'), [] as number[]];
      socket.allowHalfOpen = true;
      socket.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        sizes.push(chunk.length);
      });
      socket.on('end', () => {
        tell({ read: hash.digest('hex'), size: sizes.reduce((sum, size) => sum + size, 0) });
        socket.end('read');
      });
      break;
    }
    case 'end':
      for (const each of kept.splice(0)) each.destroy();
      break;
    case 'destroy':
      socket.destroy();
      break;
    case 'serve':
      (handle as Server).on('connection', greet);
      break;
    case 'listen':
      net.createServer(greet).listen(handle as object);
      break;
    case 'bring': {
      // Connections are sent to the parent.
      const server = net.createServer({ pauseOnConnect: true }, (accepted) => {
        process.send?.({ brought: true }, accepted);
        server.close();
      });
      server.listen(0, '127.0.0.1', () => tell({ port: (server.address() as AddressInfo).port }));
      break;
    }
  }
});

// Without its parent it would live on for the sockets that it has.
process.on('disconnect', () => process.exit());
