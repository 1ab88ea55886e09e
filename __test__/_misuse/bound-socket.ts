// Wrong arguments of `BoundSocket`, and of those who are given one. Node 26 has it; where it is missing there is nothing to
// compare with.
import type { BoundSocket } from 'ferronet';

import type { Net } from '../_helpers/implementations.js';
import { misused, type Row, type Rows } from '../_helpers/misuse-rows.js';

// Wrong on purpose: past the types, as JavaScript would.
type Loose = Net & { BoundSocket: new (options?: unknown) => BoundSocket };

const bind = (options: unknown, node26: string): Row => ({
  call: (net) => {
    new (net as Loose).BoundSocket(options).close();
  },
  node26,
});

// What a call that throws makes of the bound socket that it was given.
const given = (use: (net: Net, handle: BoundSocket) => unknown, node26: 'free' | 'used up'): Row => ({
  call: (net) => {
    const bound = new (net as Loose).BoundSocket({ host: '127.0.0.1' });
    try {
      use(net, bound);
      return 'did not throw';
    } catch {
      return isFree(bound) ? 'free' : 'used up';
    }
  },
  node26: `returned '${node26}'`,
});

function isFree(bound: BoundSocket): boolean {
  try {
    bound.close();
    return true;
  } catch {
    return false;
  }
}

const socket = (net: Net, options: object): unknown => new net.Socket(options as never);
const connect = (net: Net, options: object): unknown => net.connect(options as never);
const listenTwice = (net: Net, target: unknown): unknown => {
  const server = net.createServer().listen(0);
  try {
    return server.listen(target as never);
  } finally {
    server.close();
  }
};

const invalid = (type: 'TYPE' | 'VALUE', message: string): string =>
  misused('TypeError', `ERR_INVALID_ARG_${type}`, message);
const typed = (name: string, type: string, received: string): string =>
  invalid(
    'TYPE',
    `The "${name}" ${name.includes('.') ? 'property' : 'argument'} must be of type ${type}. Received ${received}`,
  );
const badPort = (received: string): string =>
  misused('RangeError', 'ERR_SOCKET_BAD_PORT', `options.port should be >= 0 and < 65536. Received type ${received}.`);
const notNumeric = (received: string): string =>
  invalid(
    'VALUE',
    `The property 'options.host' must be a numeric IP address; net.BoundSocket does not perform DNS resolution. Received ${received}`,
  );
const mixed = (received: string): string =>
  invalid(
    'VALUE',
    `The argument 'options' path is mutually exclusive with host, port, ipv6Only, and reusePort. Received ${received}`,
  );

export const rows: Rows = {
  'new BoundSocket(null)': bind(null, typed('options', 'object', 'null')),
  "new BoundSocket('x')": bind('x', typed('options', 'object', "type string ('x')")),
  'new BoundSocket(1)': bind(1, typed('options', 'object', 'type number (1)')),
  'new BoundSocket([])': bind([], typed('options', 'object', 'an instance of Array')),
  'new BoundSocket(a function)': bind(function named() {}, typed('options', 'object', 'function named')),
  'new BoundSocket({ host: 1 })': bind({ host: 1 }, typed('options.host', 'string', 'type number (1)')),
  "new BoundSocket({ host: '' })": bind({ host: '' }, notNumeric("''")),
  "new BoundSocket({ host: 'localhost' })": bind({ host: 'localhost' }, notNumeric("'localhost'")),
  'new BoundSocket({ host: null })': bind({ host: null }, 'returned undefined'),
  "new BoundSocket({ port: 'x' })": bind({ port: 'x' }, badPort("string ('x')")),
  'new BoundSocket({ port: -1 })': bind({ port: -1 }, badPort('number (-1)')),
  'new BoundSocket({ port: 1.5 })': bind({ port: 1.5 }, badPort('number (1.5)')),
  'new BoundSocket({ port: 70000 })': bind({ port: 70_000 }, badPort('number (70000)')),
  'new BoundSocket({ port: null })': bind({ port: null }, 'returned undefined'),
  "new BoundSocket({ port: '0' })": bind({ port: '0' }, 'returned undefined'),
  "new BoundSocket({ ipv6Only: 'x' })": bind(
    { ipv6Only: 'x' },
    typed('options.ipv6Only', 'boolean', "type string ('x')"),
  ),
  'new BoundSocket({ ipv6Only: null })': bind({ ipv6Only: null }, 'returned undefined'),
  'new BoundSocket({ reusePort: 1 })': bind({ reusePort: 1 }, typed('options.reusePort', 'boolean', 'type number (1)')),
  'new BoundSocket({ path: 1 })': bind({ path: 1 }, typed('options.path', 'string', 'type number (1)')),
  'new BoundSocket({ path: null })': bind({ path: null }, typed('options.path', 'string', 'null')),
  'new BoundSocket({ path, port })': bind({ path: '/tmp/x', port: 1 }, mixed("{ path: '/tmp/x', port: 1 }")),
  'new BoundSocket({ path, port: null })': bind({ path: '/x', port: null }, mixed("{ path: '/x', port: null }")),
  'new BoundSocket({ path, host })': bind({ path: '/x', host: '::1' }, mixed("{ path: '/x', host: '::1' }")),

  'new Socket({ handle, objectMode })': given((net, handle) => socket(net, { handle, objectMode: true }), 'free'),
  'new Socket({ handle, signal: 1 })': given((net, handle) => socket(net, { handle, signal: 1 }), 'free'),
  "new Socket({ handle, highWaterMark: 'x' })": given(
    (net, handle) => socket(net, { handle, highWaterMark: 'x' }),
    'free',
  ),
  "new Socket({ handle, keepAliveInitialDelay: 'x' })": given(
    (net, handle) => socket(net, { handle, keepAliveInitialDelay: 'x' }),
    'free',
  ),
  'connect({ handle, port: -1 })': given((net, handle) => connect(net, { handle, port: -1 }), 'used up'),
  'connect({ handle })': given((net, handle) => connect(net, { handle }), 'used up'),
  'connect({ handle, localPort })': given((net, handle) => connect(net, { handle, port: 1, localPort: 5 }), 'used up'),
  "connect({ handle, timeout: 'x' })": given(
    (net, handle) => connect(net, { handle, port: 1, timeout: 'x' }),
    'used up',
  ),
  'listen(bound) while listening': given((net, bound) => listenTwice(net, bound), 'free'),
  'listen({ handle }) while listening': given((net, handle) => listenTwice(net, { handle }), 'free'),
  'listen({ _handle: bound })': given((net, bound) => net.createServer().listen({ _handle: bound }), 'free'),
};
