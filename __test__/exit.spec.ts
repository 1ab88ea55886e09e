// What keeps a process alive, and what does not.
import test from 'ava';

import { triedNames } from './_helpers/implementations.js';
import { type Outcome, runScript } from './_helpers/script.js';

// `net` is the implementation, `log` prints a line.
const prelude = (name: string): string =>
  `const net = require(${JSON.stringify(name)}); const log = (...words) => console.log(...words);
   process.on('exit', (code) => log('exit', code));`;

const scripts: Record<string, { source: string; stdout: string[]; code?: number }> = {
  'the module alone keeps nothing alive': { source: '', stdout: ['exit 0'] },
  'a closed server': {
    source: `const s = net.createServer().listen(0, () => { log('listening'); s.close(() => log('closed')); });`,
    stdout: ['listening', 'closed', 'exit 0'],
  },
  'an unref()ed server': {
    source: `const s = net.createServer().listen(0, '127.0.0.1', () => { log('listening'); s.unref(); });`,
    stdout: ['listening', 'exit 0'],
  },
  'a server that is unref()ed before it listens': {
    source: `net.createServer().unref().listen(0);`,
    stdout: ['exit 0'],
  },
  'a connection that has ended': {
    source: `const s = net.createServer((c) => c.end('x')).listen(0, '127.0.0.1', () => {
      net.connect(s.address().port, '127.0.0.1').resume().on('close', () => { log('closed'); s.close(); });
    });`,
    stdout: ['closed', 'exit 0'],
  },
  'a connection whose both ends are unref()ed': {
    source: `const s = net.createServer((a) => { a.unref(); log('accepted'); }).listen(0, '127.0.0.1', () => {
      const c = net.connect(s.address().port, '127.0.0.1', () => { log('connected'); c.unref(); });
      s.once('connection', () => s.unref());
    });`,
    stdout: ['connected', 'accepted', 'exit 0'],
  },
  'an exception in a listener reaches uncaughtException, and the events go on': {
    source: `process.on('uncaughtException', (error) => log('uncaught', error.message));
      const s = net.createServer((c) => c.end('x')).listen(0, '127.0.0.1', () => {
        const c = net.connect(s.address().port, '127.0.0.1');
        c.on('data', () => { throw new Error('data'); });
        c.on('close', () => { log('closed'); s.close(); });
      });`,
    stdout: ['uncaught data', 'closed', 'exit 0'],
  },
  'an error without a listener ends the process': {
    source: `net.connect(1, '127.0.0.1');`,
    stdout: ['exit 1'],
    code: 1,
  },
};

for (const [title, { source, stdout, code = 0 }] of Object.entries(scripts)) {
  test(title, async (t) => {
    const run = (name: string): Promise<Outcome> => runScript(`${prelude(name)}\n${source}`);
    const outcomes = await Promise.all(triedNames.map(async (name) => [name, await run(name)] as const));
    for (const [name, outcome] of outcomes) {
      // The order of events between two ends is not specified.
      t.deepEqual(outcome.stdout.trim().split('\n').toSorted(), stdout.toSorted(), `${name}: ${outcome.stderr}`);
      t.is(outcome.code, code, name);
    }
  });
}
