// The entry points of the package: require() and import give the very same things, under the names that node:net has.
import { execFileSync } from 'node:child_process';
import nodeNet from 'node:net';
import { join } from 'node:path';

import test from 'ava';

const required = require('ferronet') as typeof import('ferronet');
const names = Object.keys(required).filter((name) => name !== 'default' && name !== '__esModule');

/** Removed from Node's net by Node 24. The names of an ES module are fixed: there it is undefined. */
const isRemoved = (name: string): boolean => name === '_setSimultaneousAccepts' && !(name in nodeNet);

test('import gives the same classes and functions as require()', async (t) => {
  const imported: Record<string, unknown> = await import('ferronet');
  for (const name of names) t.is(imported[name], required[name as keyof typeof required], name);
  t.deepEqual(
    Object.keys(imported)
      .filter((name) => name !== 'default' && name !== 'module.exports' && !isRemoved(name))
      .toSorted(),
    names.toSorted(),
  );
});

test('functions keep their names', (t) => {
  const aliases = new Set(['createConnection', 'Stream', '_createServerHandle', '_normalizeArgs', 'promises']);
  for (const name of names.filter((each) => !aliases.has(each))) {
    t.is((required[name as keyof typeof required] as { name?: string }).name, name);
  }
  t.deepEqual([required.promises.connect.name, required.promises.listen.name], ['connect', 'listen']);
});

test('the default export has the same members', async (t) => {
  const { default: whole } = await import('ferronet');
  for (const name of names) t.is(whole[name as keyof typeof whole], required[name as keyof typeof required], name);
});

test('what the documentation of net names is there', (t) => {
  const documented = `
    BlockList BoundSocket Server Socket SocketAddress Stream connect createConnection createServer
    getDefaultAutoSelectFamily getDefaultAutoSelectFamilyAttemptTimeout isIP isIPv4 isIPv6
    setDefaultAutoSelectFamily setDefaultAutoSelectFamilyAttemptTimeout`.match(/\w+/g)!;
  t.deepEqual(
    documented.filter((name) => typeof required[name as keyof typeof required] !== 'function'),
    [],
  );
  t.is(required.connect, required.createConnection);
  t.is(required.Stream, required.Socket);
});

test('every export of the node:net that runs is there', async (t) => {
  // A class that Node has to find by a name, when one thread has sent a BoundSocket to another.
  const own = new Set(['_TransferredBoundSocket']);
  const expected = Object.keys(nodeNet).filter((name) => name !== 'default' && !own.has(name));
  t.deepEqual(
    expected.filter((name) => !(name in required)),
    [],
  );
  t.is('_setSimultaneousAccepts' in required, '_setSimultaneousAccepts' in nodeNet);
  const { _setSimultaneousAccepts: imported }: Record<string, unknown> = await import('ferronet');
  t.is(typeof imported, '_setSimultaneousAccepts' in nodeNet ? 'function' : 'undefined');
});

const testIfOld = '_setSimultaneousAccepts' in nodeNet ? test : test.skip;

testIfOld('_setSimultaneousAccepts() warns once, as that of node:net, and changes nothing', (t) => {
  const program = (name: string): string => `
    const net = require('${name}');
    const server = net.createServer().listen(0, () => {
      net._setSimultaneousAccepts(server._handle);
      net._setSimultaneousAccepts();
      server.close();
    });
    process.on('warning', ({ name, code, message }) => console.log(name, code, message));`;
  const run = (name: string): string =>
    execFileSync(process.execPath, ['--no-warnings', '--eval', program(name)], {
      cwd: join(__dirname, '..'),
      encoding: 'utf8',
    });
  const said = run('ferronet');
  t.is(said.match(/DEP0121/g)?.length, 1, said);
  t.is(said, run('node:net'));
});

test('the classes and functions are ferronet’s, not those of node:net', (t) => {
  for (const name of ['Server', 'Socket', 'connect', 'createServer', 'isIP', 'isIPv4', 'isIPv6'] as const) {
    t.not<unknown, unknown>(required[name], nodeNet[name], name);
  }
});

// `register` exports nothing.
const sides: Record<string, string[]> = {
  diagnostics: ['isRelayed', 'stats'],
  handover: ['adopt', 'release'],
  http: ['HttpAgent', 'HttpsAgent', 'connectHttp2', 'connectTls', 'serve'],
  promises: ['connect', 'listen'],
  register: [],
  systemd: ['listenFds', 'listenFdsWithNames'],
};

for (const [side, gives] of Object.entries(sides)) {
  test(`ferronet/${side}: import and require() give the same names and things`, (t) => {
    const program = `
      const names = (module) => Object.keys(module).filter((name) => name !== 'default' && name !== 'module.exports');
      const required = require('ferronet/${side}');
      import('ferronet/${side}').then((imported) => {
        const same = names(imported).every((name) => imported[name] === required[name]);
        console.log(JSON.stringify([names(required).sort(), names(imported).sort(), same]));
      });`;
    const said = execFileSync(process.execPath, ['--eval', program], { cwd: join(__dirname, '..'), encoding: 'utf8' });
    t.deepEqual(JSON.parse(said), [gives, gives, true]);
  });
}

test('ferronet/promises is the object that `promises` is', async (t) => {
  const promises = require('ferronet/promises') as unknown;
  t.is(promises, required.promises);
  t.is((await import('ferronet/promises')).default as unknown, promises);
});

test('every subpath is tried here', (t) => {
  const { exports } = require('ferronet/package.json') as { exports: Record<string, unknown> };
  const subpaths = Object.keys(exports).map((name) => name.replace('./', ''));
  t.deepEqual(subpaths.toSorted(), ['.', 'package.json', ...Object.keys(sides)].toSorted());
});
