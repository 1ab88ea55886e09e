// The doors of the package: require() and import give the very same things, under the names that node:net has.
import nodeNet from 'node:net';
import test from 'ava';

const required = require('ferronet') as typeof import('ferronet');
const names = Object.keys(required).filter((name) => name !== 'default' && name !== '__esModule');

test('import gives the same classes and functions as require()', async (t) => {
  const imported: Record<string, unknown> = await import('ferronet');
  for (const name of names) t.is(imported[name], required[name as keyof typeof required], name);
  t.deepEqual(
    Object.keys(imported)
      .filter((name) => name !== 'default' && name !== 'module.exports')
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

test('the classes and functions are our own, not those of node:net', (t) => {
  for (const name of ['Server', 'Socket', 'connect', 'createServer', 'isIP', 'isIPv4', 'isIPv6'] as const) {
    t.not<unknown, unknown>(required[name], nodeNet[name], name);
  }
});
