// What the process prints of an exception that no handler takes, and what runs after one that a handler has taken.
import test from 'ava';

import { isNode } from './_helpers/implementations.js';
import { runScript, type Outcome } from './_helpers/script.js';
import { settings } from './_helpers/settings.js';

const declare = isNode ? test : test.skip;

const prelude = (name: string): string => `
  const net = require('${name}');
  const withClient = (onConnection) => {
    const server = net.createServer((socket) => onConnection(socket, server)).listen(0, '127.0.0.1', () => {
      net.connect(server.address().port, '127.0.0.1').on('error', () => {}).on('close', () => server.close()).resume();
    });
  };`;

// Of the place of a throw that is not the program's own, Node prints the file, the line and the mark below it.
const place = ({ stderr }: Outcome): string[] => stderr.split('\n').slice(0, 3);

const programs: Readonly<Record<string, string>> = {
  'an error event of a connect without a listener': `net.connect(1, '127.0.0.1');`,
  'an error event of a server without a listener': `
    const first = net.createServer().listen(0, '127.0.0.1', () => {
      net.createServer().listen(first.address().port, '127.0.0.1');
    });`,
  'an error event of a reset without a listener': `
    const server = net.createServer((socket) => socket.resetAndDestroy()).listen(0, '127.0.0.1', () => {
      net.connect(server.address().port, '127.0.0.1');
    });`,
  'a rejection in a callback': `withClient(async (socket, server) => {
    socket.destroy();
    server.close();
    throw new Error('rejected');
  });`,
  'a throw in a tick of a callback': `withClient(() => process.nextTick(() => { throw new Error('in a tick'); }));`,
};

for (const [title, program] of Object.entries(programs)) {
  for (const [setting, env] of Object.entries(settings)) {
    declare(`${title}, ${setting}: the place is printed as with node:net`, async (t) => {
      const [theirs, ours] = await Promise.all([
        runScript(prelude('node:net') + program),
        runScript(prelude('ferronet') + program, { env }),
      ]);
      t.is(theirs.code, ours.code);
      t.not(ours.code, 0);
      t.regex(place(theirs).join('\n'), /throw/);
      t.deepEqual(place(ours), place(theirs));
    });
  }
}

const handled = `
  const seen = [];
  process.on('uncaughtException', (error) => seen.push('uncaught ' + error.message));
  withClient((socket, server) => {
    server.close();
    process.nextTick(() => seen.push('tick'));
    Promise.resolve().then(() => seen.push('job'));
    process.nextTick(() => { throw new Error('in a tick'); });
    process.nextTick(() => { seen.push('next tick'); socket.end(); });
    socket.on('close', () => seen.push('close'));
    throw new Error('in the callback');
  });
  process.on('exit', () => console.log(JSON.stringify(seen)));`;

for (const [setting, env] of Object.entries(settings)) {
  declare(`after exceptions that a handler takes, ${setting}, everything else runs`, async (t) => {
    const [theirs, ours] = await Promise.all([
      runScript(prelude('node:net') + handled),
      runScript(prelude('ferronet') + handled, { env }),
    ]);
    t.deepEqual(JSON.parse(ours.stdout), JSON.parse(theirs.stdout));
    t.is(ours.code, 0);
  });

  declare(`an exception in a worker ends it, ${setting}, and is reported to its parent`, async (t) => {
    const parent = (name: string): string => `
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(${JSON.stringify(`${prelude(name)}\n${String(programs['a throw in a tick of a callback'])}`)}, { eval: true });
      worker.on('error', (error) => console.log('error', error.message)).on('exit', (code) => console.log('exit', code));`;
    const [theirs, ours] = await Promise.all([runScript(parent('node:net')), runScript(parent('ferronet'), { env })]);
    t.is(ours.stdout, theirs.stdout);
    t.is(ours.stdout, 'error in a tick\nexit 1\n');
  });
}
