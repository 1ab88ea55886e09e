// Wrong arguments of sockets.
import { openSync } from 'node:fs';

import type { Net } from '../_helpers/implementations.js';
import { misused, type Rows } from '../_helpers/misuse-rows.js';

// Wrong on purpose: past the types, as JavaScript would.
type Loose = Record<string, (...args: unknown[]) => unknown>;
const create = (net: Net, options?: unknown): Loose => new net.Socket(options as never) as unknown as Loose;
const socket = (options: unknown) => (net: Net) => create(net, options);
const method =
  (name: string, ...args: unknown[]) =>
  (net: Net): unknown =>
    create(net)[name]?.(...args);
const connect =
  (...args: unknown[]) =>
  (net: Net) =>
    (net.connect as (...all: unknown[]) => unknown)(...args);

const invalidType = (message: string): string => misused('TypeError', 'ERR_INVALID_ARG_TYPE', message);
const outOfRange = (message: string): string => misused('RangeError', 'ERR_OUT_OF_RANGE', message);

export const rows: Rows = {
  'connect()': connect(),
  'connect({})': connect({}),
  'connect(null)': connect(null),
  'connect(undefined)': connect(undefined),
  'connect({ port: true })': connect({ port: true }),
  'connect({ port: {} })': connect({ port: {} }),
  'connect({ port: -1 })': connect({ port: -1 }),
  'connect({ port: 1.5 })': connect({ port: 1.5 }),
  "connect({ port: 'x' })": connect({ port: 'x' }),
  "connect({ port: '' })": connect({ port: '' }),
  'connect({ port: null, path: null })': connect({ port: null, path: null }),
  'connect(70000)': connect(70000),
  "connect('70000')": connect('70000'),
  'connect({ port, host: 5 })': {
    call: connect({ port: 1, host: 5 }),
    node26: invalidType('The "options.host" property must be of type string. Received type number (5)'),
  },
  'connect({ port, host with NUL })': {
    call: connect({ port: 1, host: 'a\0b' }),
    node26: misused(
      'TypeError',
      'ERR_INVALID_ARG_VALUE',
      String.raw`The property 'options.host' must be a string without null bytes. Received 'a\x00b'`,
    ),
  },
  'connect({ path: 1 })': connect({ path: 1 }),
  'connect({ port, family: 9 })': connect({ port: 1, host: 'x.test', family: 9 }),
  'connect({ port, hints: 0x80000 })': connect({ port: 1, host: 'x.test', hints: 0x80000 }),
  "connect({ port, lookup: 'x' })": connect({ port: 1, host: 'x.test', lookup: 'x' }),
  "connect({ port, localAddress: 'foo' })": connect({ port: 1, localAddress: 'foo' }),
  "connect({ port, localPort: 'foo' })": connect({ port: 1, localPort: 'foo' }),
  "connect({ port, autoSelectFamily: 'x' })": connect({ port: 1, autoSelectFamily: 'x' }),
  "connect({ port, autoSelectFamilyAttemptTimeout: 'x' })": connect({ port: 1, autoSelectFamilyAttemptTimeout: 'x' }),
  'connect({ port, autoSelectFamilyAttemptTimeout: 0 })': connect({ port: 1, autoSelectFamilyAttemptTimeout: 0 }),
  "connect({ port, timeout: 'x' })": connect({ port: 1, timeout: 'x' }),
  'connect({ port, autoSelectFamily: 1 })': connect({ port: 1, autoSelectFamily: 1 }),
  'connect({ port, autoSelectFamilyAttemptTimeout: 1.5 })': connect({ port: 1, autoSelectFamilyAttemptTimeout: 1.5 }),
  'connect({ port, autoSelectFamilyAttemptTimeout: -1 })': connect({ port: 1, autoSelectFamilyAttemptTimeout: -1 }),
  "connect({ port, signal: 'x' })": connect({ port: 1, signal: 'x' }),
  'connect({ port, objectMode: true })': connect({ port: 1, objectMode: true }),
  'connect(Symbol)': connect(Symbol('x')),
  'connect(-1)': connect(-1),
  'connect(1.5)': connect(1.5),
  'connect(true)': connect(true),
  'socket.connect()': method('connect'),
  'socket.connect({})': method('connect', {}),
  'socket.connect({ port: -1 })': method('connect', { port: -1 }),
  'socket.connect({ path: 1 })': method('connect', { path: 1 }),

  "new Socket({ fd: 'x' })": socket({ fd: 'x' }),
  'new Socket({ fd: -1 })': socket({ fd: -1 }),
  'new Socket({ fd: 1.5 })': socket({ fd: 1.5 }),
  'new Socket({ fd: not open })': socket({ fd: 9999 }),
  // Windows: descriptors of the C library are not known to ferronet.
  ...(process.platform === 'win32' ? {} : { 'new Socket({ fd: a file })': socket({ fd: openSync(__filename, 'r') }) }),
  'new Socket({ handle: 5 })': socket({ handle: 5 }),
  "new Socket({ handle: 'x' })": socket({ handle: 'x' }),
  'new Socket({ handle: true })': socket({ handle: true }),
  'new Socket({ handle: Symbol })': socket({ handle: Symbol('x') }),
  'new Socket({ handle: frozen })': socket({ handle: Object.freeze({}) }),
  'new Socket({ handle: null })': socket({ handle: null }),
  'new Socket({ signal: 1 })': socket({ signal: 1 }),
  'new Socket({ signal: {} })': socket({ signal: {} }),
  'new Socket({ objectMode: true })': socket({ objectMode: true }),
  'new Socket({ readableObjectMode: true })': socket({ readableObjectMode: true }),
  'new Socket({ writableObjectMode: true })': socket({ writableObjectMode: true }),
  "new Socket('x')": socket('x'),
  'new Socket(null)': socket(null),
  'new Socket(9999)': socket(9999),
  'new Socket({ onread: 1 })': socket({ onread: 1 }),
  'new Socket({ onread: {} })': socket({ onread: {} }),
  "new Socket({ highWaterMark: 'x' })": socket({ highWaterMark: 'x' }),
  'new Socket({ highWaterMark: -1 })': socket({ highWaterMark: -1 }),
  "new Socket({ readableHighWaterMark: 'x' })": socket({ readableHighWaterMark: 'x' }),
  "new Socket({ keepAliveInitialDelay: 'x' })": socket({ keepAliveInitialDelay: 'x' }),
  'new Socket({ blockList: {} })': {
    call: socket({ blockList: {} }),
    node26: invalidType('The "options.blockList" property must be an net.BlockList. Received an instance of Object'),
  },
  "new Socket({ typeOfService: 'x' })": {
    call: socket({ typeOfService: 'x' }),
    node26: invalidType(`The "options.typeOfService" property must be of type number. Received type string ('x')`),
  },
  'new Socket({ typeOfService: 300 })': {
    call: socket({ typeOfService: 300 }),
    node26: outOfRange('The value of "options.typeOfService" is out of range. It must be >= 0 && <= 255. Received 300'),
  },

  "setTypeOfService('x')": {
    call: method('setTypeOfService', 'x'),
    node26: invalidType(`The "tos" argument must be of type number. Received type string ('x')`),
  },
  'setTypeOfService(NaN)': {
    call: method('setTypeOfService', Number.NaN),
    node26: invalidType('The "tos" argument must be of type number. Received type number (NaN)'),
  },
  'setTypeOfService(256)': {
    call: method('setTypeOfService', 256),
    node26: outOfRange('The value of "tos" is out of range. It must be >= 0 && <= 255. Received 256'),
  },

  'setTypeOfService(-1)': {
    call: method('setTypeOfService', -1),
    node26: outOfRange('The value of "tos" is out of range. It must be >= 0 && <= 255. Received -1'),
  },
  'setTypeOfService(1.5)': {
    call: method('setTypeOfService', 1.5),
    node26: outOfRange('The value of "tos" is out of range. It must be an integer. Received 1.5'),
  },
  "setNoDelay('x')": method('setNoDelay', 'x'),
  "setKeepAlive('x', 'y')": method('setKeepAlive', 'x', 'y'),
  'ref(1)': method('ref', 1),
  "pause('x')": method('pause', 'x'),
  "setEncoding('nope')": method('setEncoding', 'nope'),
  'destroy(1)': method('destroy', 1),
  "end('x') on a fresh socket": method('end', 'x'),
  'end(1)': method('end', 1),

  "setTimeout('x')": method('setTimeout', 'x'),
  'setTimeout(-1)': method('setTimeout', -1),
  'setTimeout(NaN)': method('setTimeout', Number.NaN),
  'setTimeout(Infinity)': method('setTimeout', Infinity),
  "setTimeout(1, 'x')": method('setTimeout', 1, 'x'),
  'setTimeout()': method('setTimeout'),

  'write(1)': method('write', 1),
  'write({})': method('write', {}),
  'write(null)': method('write', null),
  'write()': method('write', undefined),
  'write(ArrayBuffer)': method('write', new ArrayBuffer(1)),
  "write('ff', 'nope')": method('write', 'ff', 'nope'),
};
