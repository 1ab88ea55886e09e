// A program: a day in the life of sockets while `Object.prototype` has one property more. Arguments: the module, the
// property (`-` for none), its value, and whether it is there `before` or `after` the module is loaded. Prints a list of
// what happened. Written without destructuring, promises and spread, which such a property breaks in any program.
import type { AddressInfo, LookupFunction, Server, Socket, SocketConstructorOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessagePort } from 'node:worker_threads';

import type { Net } from './implementations.js';
import { localPath } from './local-path.js';

/** What is put there: by the name of the property, or of the well-known symbol. */
export const POLLUTIONS: readonly (readonly [name: string, value: 'function' | 'number' | 'true' | 'object'])[] = [
  ['@@iterator', 'function'],
  ['@@asyncIterator', 'function'],
  ['get', 'function'],
  ['set', 'function'],
  ['value', 'number'],
  ['writable', 'true'],
  ['enumerable', 'true'],
  ['configurable', 'true'],
  ['next', 'function'],
  ['done', 'true'],
  ['done', 'number'],
  ['return', 'function'],
  ['return', 'number'],
  ['then', 'number'],
  ['then', 'function'],
  ['toJSON', 'number'],
  ['length', 'number'],
  ['__esModule', 'true'],
  ['default', 'object'],
  ['constructor', 'object'],
  ['connected', 'number'],
  ['closed', 'number'],
  ['triggerAsyncId', 'object'],
];

export type Moment = 'before' | 'after';

/** What node:net does not survive itself. */
export const NOT_IN_NODE: readonly string[] = ['return'];

const VALUES: Readonly<Record<string, unknown>> = {
  function: function* () {},
  number: 1,
  true: true,
  object: {},
  undefined,
};

const grown = Object.prototype as unknown as Record<string | symbol, unknown>;

function pollute(name: string, value: string): void {
  if (name === '-') return;
  const key = name.indexOf('@@') === 0 ? (Symbol as unknown as Record<string, symbol>)[name.slice(2)] : name;
  grown[key as string] = VALUES[value];
}

const events: string[] = [];

function note(text: string): void {
  events[events.length] = text;
}

function watch(who: string, target: Socket | Server, ...names: string[]): void {
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i] as string;
    target.on(name, (first?: unknown) => {
      const error = first instanceof Error ? (first as NodeJS.ErrnoException) : undefined;
      note(error ? `${who} ${name} ${error.name} ${error.code} ${Object.keys(error).join()}` : `${who} ${name}`);
    });
  }
}

function lookup(count: number): LookupFunction {
  const all = [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ];
  all.length = count;
  return (_name, _options, callback) => process.nextTick(callback as (...args: unknown[]) => void, null, all);
}

function misuse(net: Net): void {
  const calls = [
    (): unknown => net.connect({ port: -1 }),
    (): unknown => net.connect({} as never),
    (): unknown => new net.Socket().setTimeout('x' as unknown as number),
    (): unknown => new net.Socket({ fd: 'x' as unknown as number }),
    (): unknown => net.createServer().listen({} as never),
    (): unknown => net.createServer().listen({ port: 70_000 }),
  ];
  for (let i = 0; i < calls.length; i += 1) {
    try {
      calls[i]?.();
      note('nothing thrown');
    } catch (error) {
      note(`${String(error)} ${(error as Error).stack?.indexOf(String(error))}`);
    }
  }
}

/** By name, over TCP: a refused address first, then one that answers. */
function talk(net: Net, next: () => void): void {
  const server = net.createServer({ allowHalfOpen: true, keepAlive: true, noDelay: true }, (accepted) => {
    watch('accepted', accepted, 'end', 'finish', 'close', 'error');
    note(`${accepted.remoteAddress} ${accepted.localPort === (server.address() as AddressInfo).port}`);
    accepted.pipe(accepted);
  });
  watch('server', server, 'listening', 'connection', 'close', 'error');
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    const options: SocketConstructorOpts = { allowHalfOpen: true };
    const client = new net.Socket(options);
    let text = '';
    watch('client', client, 'lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connect', 'ready', 'timeout');
    watch('client', client, 'end', 'finish', 'close', 'error');
    client.connect({ port, host: 'two.test', lookup: lookup(2) }, () => {
      client.setKeepAlive(true, 1000).setNoDelay(true);
      client.cork();
      client.write('text, ');
      client.write(Buffer.from('bytes, '));
      client.write('latin, ', 'latin1');
      client.uncork();
      client.write('6865782c20', 'hex');
    });
    client.on('data', (chunk: Buffer) => {
      text += String(chunk);
      if (text.indexOf('hex, ') >= 0) client.setTimeout(1);
    });
    client.on('timeout', () => {
      client.setTimeout(0);
      note(text);
      client.end();
    });
    client.on('close', () => {
      note(`${client.bytesRead} ${client.bytesWritten}`);
      server.getConnections((_error, count) => note(`${count} connections`));
      server.close(next);
    });
  });
}

/** All addresses of a name refuse, and a path is not there. */
function fail(net: Net, next: () => void): void {
  const client = net.connect({ port: 1, host: 'two.test', lookup: lookup(2) });
  watch('refused', client, 'connectionAttemptFailed', 'connect', 'error', 'close');
  client.on('error', (error: AggregateError) => note(`${error.stack?.split('\n')[0]} ${error.errors.length}`));
  client.on('close', () => {
    const lost = net.connect(join(tmpdir(), 'nothing', 'here'));
    watch('lost', lost, 'connect', 'error', 'close');
    lost.on('close', next);
  });
}

/** Pipes between two sockets, over a local path. */
function relay(net: Net, next: () => void): void {
  const path = localPath(tmpdir(), `polluted-${process.pid}`);
  const server = net
    .createServer((accepted) => accepted.pipe(accepted))
    .listen(path, () => {
      const front = net.createServer((accepted) => {
        const behind = net.connect(path);
        watch('behind', behind, 'error', 'close');
        accepted.pipe(behind).pipe(accepted);
      });
      front.listen(0, '127.0.0.1', () => {
        const client = net.connect((front.address() as AddressInfo).port, '127.0.0.1');
        let left = 20;
        let received = 0;
        client.on('connect', () => client.write('x'));
        client.on('data', (chunk: Buffer) => {
          received += chunk.length;
          left -= 1;
          if (left > 0) client.write('x');
          else client.end();
        });
        client.on('close', () => {
          note(`relayed ${received}`);
          front.close();
          server.close(next);
        });
      });
    });
}

function lists(net: Net): void {
  const list = new net.BlockList();
  list.addSubnet('10.0.0.0', 8);
  list.addAddress('::1', 'ipv6');
  note(`${list.check('10.1.1.1')} ${list.check('::1', 'ipv6')} ${list.check('1.1.1.1')} ${list.rules.length}`);
  note(`${new net.SocketAddress({ address: '1.2.3.4', port: 5 }).port} ${net.isIP('1.2.3.4')}${net.isIP('::1')}`);
}

/** From one end of a message channel to the other. */
function transfer(net: Net, next: () => void): void {
  const { port1, port2 } = new MessageChannel() as unknown as { port1: MessagePort; port2: MessagePort };
  const server = net.createServer((accepted) => {
    accepted.on('error', () => {});
    accepted.end('moved');
  });
  const over = (): void => {
    port1.close();
    server.close(next);
  };
  server.listen(0, '127.0.0.1', () => {
    const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
      try {
        port1.postMessage({ client }, [client as unknown as MessagePort]);
      } catch (error) {
        note(`transfer ${(error as Error).name}`);
        client.destroy();
        over();
      }
    });
  });
  port2.once('message', (message: { client: Socket }) => {
    const moved = message.client;
    watch('moved', moved, 'end', 'close', 'error');
    moved.on('data', (chunk: Buffer) => note(String(chunk)));
    moved.on('close', over);
    moved.resume();
  });
}

/** What else the package has. */
function entries(): void {
  const names = ['promises', 'diagnostics', 'handover', 'http', 'systemd', 'register'];
  for (let i = 0; i < names.length; i += 1) {
    note(`${names[i]}: ${Object.keys(require(`ferronet/${names[i]}`) as object).join()}`);
  }
  note(`redirected ${require('node:net') === require('ferronet')}`);
}

export function main(): void {
  // Some of Node's own modules do not survive it while they are loaded.
  for (const module of ['http', 'https', 'http2', 'tls', 'worker_threads']) require(`node:${module}`);
  const name = process.argv[3] as string;
  const value = process.argv[4] as string;
  if (process.argv[5] === 'before') pollute(name, value);
  const net = require(process.argv[2] as string) as Net;
  if (process.argv[5] !== 'before') pollute(name, value);
  process.on('uncaughtException', (error) => note(`uncaught ${error.stack}`));
  talk(net, () =>
    fail(net, () =>
      relay(net, () => {
        lists(net);
        misuse(net);
        transfer(net, () => {
          if (process.argv[2] === 'ferronet') entries();
        });
      }),
    ),
  );
  process.on('exit', () => {
    for (const key of [name, Symbol.iterator, Symbol.asyncIterator]) {
      if (Object.hasOwn(grown, key) && key !== '-' && key !== 'constructor') delete grown[key];
    }
    process.stdout.write(JSON.stringify(events));
  });
}

if (require.main === module) main();
