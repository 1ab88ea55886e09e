// A program: sockets while the timers of the program are fakes that never fire. Arguments: the module, what the fakes are,
// whether they are there `before` or `after` the module is loaded, and the address and port of a black hole, if there is one.
// Reads its standard input through a socket. Prints a list of what happened.
import type { AddressInfo, Server, Socket } from 'node:net';

import type { Net } from './implementations.js';

const realSetTimeout = globalThis.setTimeout;

/** As fake timer libraries do it. */
function replaceFunctions(): void {
  const timers = require('node:timers') as Record<string, unknown>;
  const fake = (): object => ({ ref() {}, unref() {}, refresh() {}, hasRef: () => true, close() {} });
  for (const name of ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate']) {
    timers[name] = fake;
    (globalThis as Record<string, unknown>)[name] = fake;
  }
  globalThis.queueMicrotask = fake;
}

export const FAKES: Readonly<Record<string, () => void>> = {
  'node:test': () => {
    const { mock } = require('node:test') as typeof import('node:test');
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate'] });
  },
  'replaced functions': replaceFunctions,
};

const events: string[] = [];

type Case = (net: Net, server: Server, done: () => void) => void;

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function watch(who: string, socket: Socket, ...names: string[]): void {
  for (const name of names) socket.on(name, () => void events.push(`${who} ${name}`));
}

const cases: Case[] = [
  function idle(net, server, done) {
    const client = net.connect(portOf(server), '127.0.0.1', () => client.setTimeout(1));
    watch('idle', client, 'connect', 'timeout', 'close');
    client.on('timeout', () => {
      client.setTimeout(0);
      client.destroy();
    });
    client.on('close', done);
  },

  function nextAddress(net, _server, done) {
    const [address, port] = [process.argv[5], Number(process.argv[6])];
    if (address === undefined) {
      done();
      return;
    }
    const answers = net
      .createServer((accepted) => accepted.end())
      .listen(port, '127.0.0.1', () => {
        const client = net.connect({
          port,
          host: 'two.test',
          autoSelectFamilyAttemptTimeout: 20,
          lookup: (_host, _options, callback) => {
            const found = [address, '127.0.0.1'].map((each) => ({ address: each, family: 4 }));
            (callback as (...args: unknown[]) => void)(null, found);
          },
        });
        watch('next', client, 'connectionAttempt', 'connectionAttemptTimeout', 'connect', 'close');
        client.resume().on('close', () => answers.close(done));
      });
  },

  function descriptor(net, _server, done) {
    if (process.platform === 'win32') {
      done();
      return;
    }
    const input = new net.Socket({ fd: 0, writable: false });
    watch('input', input, 'end');
    input.on('data', (chunk: Buffer) => void events.push(String(chunk)));
    input.on('close', done);
    input.on('end', () => input.destroy());
  },

  function memory(net, server, done) {
    let text = '';
    const client = net.connect({
      port: portOf(server),
      host: '127.0.0.1',
      onread: {
        buffer: Buffer.alloc(2),
        callback(length, buffer) {
          text += Buffer.from(buffer.subarray(0, length)).toString();
          process.nextTick(() => client.resume());
          return false;
        },
      },
    });
    client.on('close', () => {
      events.push(text);
      done();
    });
  },

  function manyChunks(net, _server, done) {
    const counts = net.createServer((accepted) => {
      let size = 0;
      accepted.on('data', (chunk: Buffer) => (size += chunk.length));
      accepted.on('end', () => events.push(`${size} bytes`));
    });
    counts.listen(0, '127.0.0.1', () => {
      const client = net.connect(portOf(counts), '127.0.0.1', () => {
        client.cork();
        for (let i = 0; i < 3000; i += 1) client.write('x');
        client.uncork();
        client.end();
      });
      client.resume().on('close', () => counts.close(done));
    });
  },

  function failing(net, server, done) {
    const client = net.connect(portOf(server), '127.0.0.1', () => {
      (client as unknown as { _closeAfterHandlingError: boolean })._closeAfterHandlingError = true;
      client.destroy(new Error('made up'));
    });
    watch('failing', client, 'error', 'close');
    client.on('close', done);
  },
];

export function main(): void {
  const fake = FAKES[process.argv[3] as string] as () => void;
  if (process.argv[4] === 'before') fake();
  const net = require(process.argv[2] as string) as Net;
  if (process.argv[4] === 'after') fake();
  const print = (): void => {
    process.stdout.write(JSON.stringify(events));
    process.exit();
  };
  realSetTimeout(() => {
    events.push('stuck');
    print();
  }, 15_000);
  const server = net.createServer((accepted) => void accepted.on('error', () => {}).end('from the server'));
  server.listen(0, '127.0.0.1', () => {
    const next = (at: number): void => {
      const run = cases[at];
      if (run) run(net, server, () => next(at + 1));
      else server.close(print);
    };
    next(0);
  });
}

if (require.main === module) main();
