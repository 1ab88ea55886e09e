// Wrong arguments of sockets.
import { openSync } from 'node:fs';

import type { Net } from '../_helpers/implementations.js';
import { misuse, misused } from '../_helpers/misuse.js';

// Wrong on purpose: past the types, as JavaScript would.
type Loose = Record<string, (...args: unknown[]) => unknown>;
const create = (net: Net, options?: unknown): Loose => new net.Socket(options as never) as unknown as Loose;
const socket = (options: unknown) => (net: Net) => create(net, options);
const method =
  (name: string, ...args: unknown[]) =>
  (net: Net): unknown => {
    const target = create(net);
    try {
      return target[name]?.(...args);
    } finally {
      target['destroy']?.();
    }
  };
const connect =
  (...args: unknown[]) =>
  (net: Net) =>
    (net.connect as (...all: unknown[]) => unknown)(...args);

const invalidType = (message: string): string => misused('TypeError', 'ERR_INVALID_ARG_TYPE', message);
const outOfRange = (message: string): string => misused('RangeError', 'ERR_OUT_OF_RANGE', message);

misuse({
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
  'socket.connect()': method('connect'),

  "new Socket({ fd: 'x' })": socket({ fd: 'x' }),
  'new Socket({ fd: -1 })': socket({ fd: -1 }),
  'new Socket({ fd: 1.5 })': socket({ fd: 1.5 }),
  'new Socket({ fd: not open })': socket({ fd: 9999 }),
  'new Socket({ fd: a file })': socket({ fd: openSync(__filename, 'r') }),
  'new Socket({ signal: 1 })': socket({ signal: 1 }),
  'new Socket({ signal: {} })': socket({ signal: {} }),
  'new Socket({ objectMode: true })': socket({ objectMode: true }),
  'new Socket({ readableObjectMode: true })': socket({ readableObjectMode: true }),
  'new Socket({ writableObjectMode: true })': socket({ writableObjectMode: true }),
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
});
