// Wrong arguments of servers, and of the module's own functions.
import type { Net } from '../_helpers/implementations.js';
import { misused, type Rows } from '../_helpers/misuse-rows.js';

// Wrong on purpose: past the types, as JavaScript would.
const listen =
  (...args: unknown[]) =>
  (net: Net): unknown =>
    (net.createServer().listen as (...all: unknown[]) => unknown).call(net.createServer(), ...args);
const server = (options: unknown, listener?: unknown) => (net: Net) =>
  new net.Server(options as never, listener as never);
const exported =
  (name: string, ...args: unknown[]) =>
  (net: Net) =>
    (net as unknown as Record<string, (...all: unknown[]) => unknown>)[name]?.(...args);

export const rows: Rows = {
  'listen({})': listen({}),
  'listen(true)': listen(true),
  'listen(false)': listen(false),
  'listen(Symbol)': listen(Symbol('x')),
  'listen({ host })': listen({ host: 'localhost' }),
  'listen({ fd: -1 })': listen({ fd: -1 }),
  "listen({ fd: 'x' })": listen({ fd: 'x' }),
  "listen({ path: '' })": listen({ path: '' }),
  'listen({ path: 1 })': listen({ path: 1 }),
  'listen({ port: -1 })': listen({ port: -1 }),
  'listen({ port: 1.5 })': listen({ port: 1.5 }),
  "listen({ port: 'x' })": listen({ port: 'x' }),
  "listen({ port: '' })": listen({ port: '' }),
  'listen({ port: {} })': listen({ port: {} }),
  'listen(70000)': listen(70000),
  'listen(-1)': listen(-1),
  'listen(NaN)': listen(Number.NaN),
  "listen({ port, signal: 'x' })": listen({ port: 0, signal: 'x' }),
  'listen({ abstract path, readableAll })': listen({ path: '\0abstract', readableAll: true }),
  'listen({ abstract path, writableAll })': listen({ path: '\0abstract', writableAll: true }),
  'listen({ port: null })': listen({ port: null }),
  'listen({ port, host: 5 })': listen({ port: 0, host: 5 }),
  // There libuv ends the process for a backlog of 0.
  ...(process.platform === 'win32' ? {} : { "listen({ port, backlog: 'x' })": listen({ port: 0, backlog: 'x' }) }),
  'listen({ handle: {} })': listen({ handle: {} }),
  'listen({ _handle: {} })': listen({ _handle: {} }),
  'listen({ handle: 5 })': listen({ handle: 5 }),
  "listen({ handle: 'x' })": listen({ handle: 'x' }),
  'listen({ isStreamBase: true })': listen({ isStreamBase: true, fd: -1 }),
  "listen(0, 'host', 'x', 'y')": listen(0, '127.0.0.1', 'x', 'y'),
  "listen('x')": listen('/no/such/directory/x'),
  'listen([])': listen([]),
  'listen(() => {}, 0)': listen(() => {}, 0),
  'listen({ fd: not open })': listen({ fd: 9999 }),
  'listen while listening': (net) => {
    const listening = net.createServer().listen(0);
    try {
      return listening.listen(0);
    } finally {
      listening.close();
    }
  },

  "new Server('x')": server('x'),
  'new Server(1)': server(1),
  'new Server(true)': server(true),
  'new Server(null)': server(null),
  "new Server({}, 'x')": server({}, 'x'),
  "new Server({ keepAliveInitialDelay: 'x' })": server({ keepAliveInitialDelay: 'x' }),
  "new Server({ highWaterMark: 'x' })": server({ highWaterMark: 'x' }),
  'new Server({ blockList: {} })': {
    call: server({ blockList: {} }),
    node26: misused(
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      'The "options.blockList" property must be an net.BlockList. Received an instance of Object',
    ),
  },

  'close(1)': (net) => (net.createServer().close as (callback: unknown) => unknown).call(net.createServer(), 1),
  'getConnections()': (net) => (net.createServer().getConnections as () => unknown).call(net.createServer()),
  "getConnections('x')": (net) =>
    (net.createServer().getConnections as (callback: unknown) => unknown).call(net.createServer(), 'x'),

  "setDefaultAutoSelectFamily('x')": exported('setDefaultAutoSelectFamily', 'x'),
  "setDefaultAutoSelectFamilyAttemptTimeout('x')": exported('setDefaultAutoSelectFamilyAttemptTimeout', 'x'),
  'setDefaultAutoSelectFamilyAttemptTimeout(0)': exported('setDefaultAutoSelectFamilyAttemptTimeout', 0),
  'setDefaultAutoSelectFamilyAttemptTimeout(-1)': exported('setDefaultAutoSelectFamilyAttemptTimeout', -1),
  'setDefaultAutoSelectFamilyAttemptTimeout(1.5)': exported('setDefaultAutoSelectFamilyAttemptTimeout', 1.5),
  'isIP(Symbol)': exported('isIP', Symbol('x')),
  'isIPv4(Symbol)': exported('isIPv4', Symbol('x')),
  'isIPv6(Symbol)': exported('isIPv6', Symbol('x')),
};
