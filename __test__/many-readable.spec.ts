// Several connections that are readable in one turn of the event loop: each callback is followed by its ticks and promise
// jobs, with the async ids that they have with node:net, also if one throws.
import test from 'ava';

import { isNode } from './_helpers/implementations.js';
import { runScript } from './_helpers/script.js';
import { settings } from './_helpers/settings.js';

const declare = isNode ? test : test.skip;

const CONNECTIONS = 6;

// `ondata(number, socket, log)` is called with the first bytes of each connection, which come at once.
const program = (name: string, ondata: string): string => `
  const net = require('${name}');
  const { AsyncLocalStorage, executionAsyncId, executionAsyncResource } = require('node:async_hooks');
  const log = [];
  const clients = [];
  const accepted = [];
  process.on('uncaughtException', (error) => log.push('uncaught ' + error.message));
  process.on('unhandledRejection', (error) => log.push('unhandled ' + error.message));
  const ondata = ${ondata};
  const finish = () => setImmediate(() => setImmediate(() => {
    console.log(JSON.stringify(log));
    process.exit();
  }));
  let left = ${CONNECTIONS};
  const server = net.createServer((socket) => {
    const number = accepted.push(socket);
    socket.on('error', (error) => log.push('error ' + error.message));
    socket.once('data', () => {
      if (--left === 0) finish();
      ondata(number, socket, log);
    });
    if (number < ${CONNECTIONS}) connect();
    else setImmediate(() => { for (const client of clients) client.write('x'); });
  }).listen(0, '127.0.0.1', () => connect());
  const connect = () => clients.push(net.connect(server.address().port, '127.0.0.1').on('error', () => {}));`;

/** What was logged from each `data` to the next one, in the order of the connections: they may be readable in any. */
function callbacks(stdout: string): string[] {
  const [first, ...others] = (JSON.parse(stdout) as string[]).join(', ').split('data ');
  return [first ?? '', ...others.map((each) => each.replace(/, $/, '')).sort()];
}

const alike: Readonly<Record<string, string>> = {
  'ticks and promise jobs follow each callback': `(number, socket, log) => {
    log.push('data ' + number);
    Promise.resolve().then(() => log.push('job')).then(() => process.nextTick(() => log.push('last')));
    process.nextTick(() => log.push('tick'));
    queueMicrotask(() => log.push('microtask'));
    socket.write('answer', () => log.push('written'));
  }`,
  'callbacks have the async id of their handle, promise jobs none': `(number, socket, log) => {
    log.push('data ' + number);
    log.push(executionAsyncId() === socket._handle.getAsyncId(), executionAsyncResource() === socket._handle);
    Promise.resolve().then(() => log.push('job ' + executionAsyncId()));
    process.nextTick(() => log.push('tick ' + (executionAsyncId() > 0)));
  }`,
  'a store that a callback enters is gone in the next one': `(() => {
    const storage = new AsyncLocalStorage();
    return (number, socket, log) => {
      log.push('data ' + number, storage.getStore());
      storage.enterWith(number);
      Promise.resolve().then(() => log.push('job ' + storage.getStore()));
      process.nextTick(() => log.push('tick ' + storage.getStore()));
    };
  })()`,
  'a rejection that no handler takes is reported behind its callback': `(number, socket, log) => {
    log.push('data ' + number);
    Promise.reject(new Error('of ' + number));
  }`,
  'an error event comes before the next callback': `(number, socket, log) => {
    log.push('data ' + number);
    socket.destroy(new Error('of ' + number));
  }`,
};

for (const [title, ondata] of Object.entries(alike)) {
  for (const [setting, env] of Object.entries(settings)) {
    declare(`${title}, ${setting}`, async (t) => {
      const [theirs, ours] = await Promise.all([
        runScript(program('node:net', ondata)),
        runScript(program('ferronet', ondata), { env }),
      ]);
      t.is(ours.code, 0, ours.stderr);
      t.deepEqual(callbacks(ours.stdout), callbacks(theirs.stdout));
      t.is(callbacks(ours.stdout).length, 1 + CONNECTIONS);
    });
  }
}

// With node:net, what such a callback leaves to do comes behind the next one.
const throwing: Readonly<Record<string, { ondata: string; logged: (number: number) => string }>> = {
  'a callback that throws is followed by its ticks, and the others are called': {
    ondata: `(number, socket, log) => {
      log.push('data ' + number);
      process.nextTick(() => log.push('tick'));
      Promise.resolve().then(() => log.push('job'));
      if (number % 2 === 0) throw new Error('of ' + number);
    }`,
    logged: (number) => `${number}, ${number % 2 === 0 ? `uncaught of ${number}, ` : ''}tick, job`,
  },
  'a tick that throws is followed by the next one': {
    ondata: `(number, socket, log) => {
      log.push('data ' + number);
      process.nextTick(() => { throw new Error('of ' + number); });
      process.nextTick(() => log.push('tick'));
      Promise.resolve().then(() => log.push('job'));
    }`,
    logged: (number) => `${number}, uncaught of ${number}, tick, job`,
  },
};

for (const [title, { ondata, logged }] of Object.entries(throwing)) {
  for (const [setting, env] of Object.entries(settings)) {
    declare(`${title}, ${setting}`, async (t) => {
      const { code, stdout, stderr } = await runScript(program('ferronet', ondata), { env });
      t.is(code, 0, stderr);
      t.deepEqual(callbacks(stdout), ['', ...Array.from({ length: CONNECTIONS }, (_, index) => logged(index + 1))]);
    });
  }
}

for (const [setting, env] of Object.entries(settings)) {
  declare(`connections that another callback has closed get nothing, ${setting}`, async (t) => {
    const ondata = `(number, socket, log) => {
      log.push('data');
      for (const other of accepted) other.destroy();
      finish();
    }`;
    const { code, stdout, stderr } = await runScript(program('ferronet', ondata), { env });
    t.is(code, 0, stderr);
    t.is(stdout, '["data"]\n');
  });
}
