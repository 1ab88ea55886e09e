// A peer: a server in a process of its own that does one program on one implementation of `net`, or of `fronts.cts`.
//
//     server.cjs <ferronet or node:net> <program> [--blocked MS] [--upstream PORT] [--path PATH] [--bytes N] [--batch N] [--work US]
//
// It tells its parent the port in a line of JSON, takes commands in lines, and ends when its standard input does. It is
// CommonJS by its name (.cts), since Bun and Deno run the same file and do not read this package's tsconfig.
import type { AddressInfo, Server } from 'node:net';
import { parseArgs } from 'node:util';

import { connectAgainAndAgain } from './connect.cjs';
import type { Net, Settings } from './programs.cjs';
import { compute, programs } from './programs.cjs';
import { watch, type Watched } from './watch.cjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    // Milliseconds for which JavaScript computes, in every twice as many.
    blocked: { type: 'string' },
    upstream: { type: 'string' },
    // A Unix socket to listen on, in place of a port.
    path: { type: 'string' },
    bytes: { type: 'string' },
    batch: { type: 'string' },
    work: { type: 'string' },
  },
});
const [implementation = '', name = ''] = positionals;
const net = require(implementation) as Net;
const settings: Settings = {
  upstream: Number(values.upstream),
  bytes: Number(values.bytes),
  batch: Number(values.batch),
  work: Number(values.work),
};

function tell(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** Only where the runtime was started with it; the others are measured with what they have left lying about. */
function collectGarbage(): void {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc: (synchronously: boolean) => void } };
  if (Bun) Bun.gc(true);
  else gc?.();
}

let stop: ((stopped: () => void) => void) | undefined;
let watched: (() => Watched) | undefined;

function obey(line: string): void {
  const [command, argument] = line.split(' ');
  if (command === 'collect') {
    collectGarbage();
    tell({ collected: true });
  } else if (command === 'connect') {
    stop = connectAgainAndAgain(net, Number(argument));
  } else if (command === 'stop') {
    stop?.(() => tell({ stopped: true }));
  } else if (command === 'watch') {
    watched = watch(argument);
  } else if (command === 'watched' && watched) {
    tell(watched());
  }
}

function createServer(): Server {
  const program = programs[name];
  // Only here, so that the others are measured without the modules of http and tls.
  if (!program) return (require('./fronts.cjs') as typeof import('./fronts.cjs')).createFront(implementation, name);
  return net.createServer({ noDelay: true }, (socket) => {
    // A client that is gone in the middle of a message is the end of a round, not a failure.
    socket.on('error', () => socket.destroy());
    program(socket, settings, net);
  });
}

const server = createServer();
if (values.path === undefined) {
  // On all addresses, since connections that live for one byte come to many of them.
  server.listen(0, '0.0.0.0', () => tell({ port: (server.address() as AddressInfo).port }));
} else {
  server.listen(values.path, () => tell({ port: 0 }));
}

const blocked = Number(values.blocked);
if (blocked > 0) setInterval(() => compute(blocked), 2 * blocked);

let unfinished = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text: string) => {
  const lines = (unfinished + text).split('\n');
  unfinished = lines.pop() ?? '';
  lines.forEach(obey);
});
process.stdin.on('end', () => process.exit());
