// The errors of misuse as objects: what a program that catches one can see of it.
import { inspect } from 'node:util';

import test from 'ava';

import { ours } from './_helpers/implementations.js';

function thrown(port: unknown): NodeJS.ErrnoException {
  try {
    ours.connect({ port: port as number, host: '127.0.0.1' }).destroy();
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  throw new Error('nothing was thrown');
}

test('an error is of the plain class, with a code and nothing else', (t) => {
  const error = thrown(70_000);
  t.is(error.constructor, RangeError);
  t.is(error.name, 'RangeError');
  t.is(error.code, 'ERR_SOCKET_BAD_PORT');
  t.deepEqual(Object.keys(error), ['code']);
  t.false(Object.hasOwn(error, 'name'));
  t.false(Object.prototype.propertyIsEnumerable.call(error, 'message'));
});

test('an error is printed with its code', (t) => {
  const error = thrown(70_000);
  const text = 'RangeError [ERR_SOCKET_BAD_PORT]: Port should be >= 0 and < 65536. Received type number (70000).';
  t.is(String(error), text);
  t.true(error.stack?.startsWith(`${text}\n    at `));
  t.true(inspect(error).startsWith(`${text}\n    at `));
  t.true(inspect(error).endsWith("{\n  code: 'ERR_SOCKET_BAD_PORT'\n}"));
});

test('the stack begins where the argument was judged, not where the error was made', (t) => {
  const [, first = ''] = thrown(70_000).stack?.split('\n') ?? [];
  t.regex(first, /^ {4}at /);
  t.notRegex(first, /errors\.js/);
});

class Thing {}

// As Node 26 writes it, whatever Node runs.
const RECEIVED: [value: unknown, text: string][] = [
  [null, 'null'],
  [true, 'type boolean (true)'],
  [10n, 'type bigint (10n)'],
  [Symbol('q'), 'type symbol (Symbol(q))'],
  [function named(): void {}, 'function named'],
  [Thing, 'function Thing'],
  [[1], 'an instance of Array'],
  [new Thing(), 'an instance of Thing'],
  [new Map(), 'an instance of Map'],
  [Object.create(null), '[Object: null prototype] {}'],
  [Object.assign(Object.create(null), { a: 1 }), '[Object: null prototype]'],
];

for (const [value, text] of RECEIVED) {
  test(`a wrong type is shown: ${text}`, (t) => {
    t.is(thrown(value).message, `The "options.port" property must be one of type number or string. Received ${text}`);
  });
}

const BAD_PORTS: [value: unknown, text: string][] = [
  [-0.5, 'type number (-0.5)'],
  [Number.NaN, 'type number (NaN)'],
  [-Infinity, 'type number (-Infinity)'],
  [1e21, 'type number (1e+21)'],
  ["it's", 'type string ("it\'s")'],
  ['x'.repeat(28), `type string ('${'x'.repeat(28)}')`],
  ['x'.repeat(29), `type string ('${'x'.repeat(25)}...')`],
  ['a\nb', "type string ('a\nb')"],
];

for (const [value, text] of BAD_PORTS) {
  test(`a wrong value is shown: ${JSON.stringify(text)}`, (t) => {
    t.is(thrown(value).message, `Port should be >= 0 and < 65536. Received ${text}.`);
  });
}

test('a large number is shown with separators', (t) => {
  const error = t.throws<NodeJS.ErrnoException>(() => ours.setDefaultAutoSelectFamilyAttemptTimeout(-(2 ** 40)));
  t.is(
    error.message,
    'The value of "value" is out of range. It must be >= 1 && <= 2147483647. Received -1_099_511_627_776',
  );
});

test('system errors carry numbers of this platform', async (t) => {
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
    ours.connect(1, '127.0.0.1').on('error', resolve);
  });
  t.is(error.constructor, Error);
  t.is(error.code, 'ECONNREFUSED');
  t.is(inspect(error).split('\n')[0], 'Error: connect ECONNREFUSED 127.0.0.1:1');
  t.true((error.errno ?? 0) < 0);
});
