// The native half refuses numbers that it has no name for, instead of taking them for others.
import test from 'ava';

import { addon } from './_helpers/addon.js';
import { errnoOf } from './_helpers/errno.js';
import { isNode } from './_helpers/implementations.js';

const { Reactor } = addon();

const LIBUV = 1;
const AUTO = 0;
const UNKNOWN = [-1, 99, 2 ** 31 - 1];
const NO_HANDLE = -1;

// The host is Node.
const declare = isNode ? test : test.skip;

declare('a host or a driver', (t) => {
  for (const unknown of UNKNOWN) {
    t.throws(() => new Reactor(() => {}, unknown, AUTO, 1), { code: 'InvalidArg' }, `host ${unknown}`);
    t.throws(() => new Reactor(() => {}, LIBUV, unknown, 1), { code: 'InvalidArg' }, `driver ${unknown}`);
  }
});

declare('an operation, or a form of a chunk', (t) => {
  const reactor = new Reactor(() => {}, LIBUV, AUTO, 1);
  const [control, write] = [reactor.control(), reactor.writer()];
  const [EBADF, EINVAL] = [errnoOf('EBADF'), errnoOf('EINVAL')];
  const close = 4;
  const bytes = 0;
  t.is(control(close, NO_HANDLE), EBADF);
  t.is(write(NO_HANDLE, Buffer.from('x'), bytes), EBADF);
  for (const unknown of UNKNOWN) {
    t.is(control(unknown, NO_HANDLE), EINVAL, `operation ${unknown}`);
    t.is(write(NO_HANDLE, Buffer.from('x'), unknown), EINVAL, `form ${unknown}`);
  }
});
