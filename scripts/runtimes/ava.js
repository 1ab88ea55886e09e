// As much of ava as the suite uses, for runtimes in which ava does not run: it starts Node's worker processes, and these
// files are compiled and need nothing but `test`. Serial tests come first and the others go together, as with ava. Prints
// TAP, and ends the process.
'use strict';

const assert = require('node:assert');
const { inspect, isDeepStrictEqual } = require('node:util');

/**
 * @typedef {object} Expectation
 * @property {string} [code]
 * @property {string} [name]
 * @property {string | RegExp} [message]
 * @property {Function} [instanceOf]
 * @property {boolean} [any]
 *
 * @typedef {(t: Assertions) => unknown} Body
 * @typedef {{ title: string, body: Body }} Test
 */

const LIMIT = 20_000;
const SHOWN = 3000;

/** @typedef {import('./differences.js').Here} Here */

/** What is otherwise in this runtime. @type {Here} */
let here = { wordings: [], otherwise: {}, unsure: {} };

/**
 * What was seen, in the words of Node where the runtime has others.
 * @param {unknown} value
 * @returns {unknown}
 */
function worded(value) {
  if (typeof value === 'string') return here.wordings.reduce((text, { from, to }) => text.replace(from, to), value);
  if (Array.isArray(value)) return value.map(worded);
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, worded(member)]));
}

/**
 * @param {unknown} actual
 * @param {unknown} expected
 */
function difference(actual, expected) {
  try {
    assert.deepStrictEqual(actual, expected);
  } catch (error) {
    if (error instanceof Error) return error.message.slice(0, SHOWN);
  }
  return `${inspect(actual)} is not ${inspect(expected)}`.slice(0, SHOWN);
}

/**
 * What speaks against an error, if anything does.
 * @param {unknown} error
 * @param {Expectation} expected
 */
function unexpected(error, { code, name, message, instanceOf, any }) {
  if (any) return undefined;
  if (!(error instanceof Error)) return `no error, but ${inspect(error)}`;
  const { code: itsCode } = /** @type {NodeJS.ErrnoException} */ (error);
  const agrees =
    (code === undefined || itsCode === code) &&
    (name === undefined || error.name === name) &&
    (instanceOf === undefined || error instanceof instanceOf) &&
    (message === undefined || (message instanceof RegExp ? message.test(error.message) : error.message === message));
  return agrees ? undefined : `another error: ${inspect(error)}`;
}

/** What a test is given: ava's `t`. */
class Assertions {
  /** @type {(() => unknown)[]} */
  cleanings = [];
  /** @type {number | undefined} */
  planned;
  count = 0;
  limit = LIMIT;

  /** @param {string} title */
  constructor(title) {
    this.title = title;
  }

  /**
   * @param {boolean} held
   * @param {() => string} why
   * @param {string} [message]
   */
  #check(held, why, message) {
    this.count++;
    if (!held) throw new assert.AssertionError({ message: [message, why()].filter(Boolean).join(': ') });
  }

  pass() {
    this.count++;
  }

  /** @param {string} [message] */
  fail(message) {
    this.#check(false, () => 'failed', message);
  }

  /**
   * @param {unknown} actual
   * @param {unknown} expected
   * @param {string} [message]
   */
  is(actual, expected, message) {
    const seen = typeof actual === 'string' ? worded(actual) : actual;
    this.#check(Object.is(seen, expected), () => difference(seen, expected), message);
  }

  /**
   * @param {unknown} actual
   * @param {unknown} unwanted
   * @param {string} [message]
   */
  not(actual, unwanted, message) {
    this.#check(!Object.is(actual, unwanted), () => `it is ${inspect(actual)}`, message);
  }

  /**
   * @param {unknown} actual
   * @param {unknown} expected
   * @param {string} [message]
   */
  deepEqual(actual, expected, message) {
    const seen = worded(actual);
    this.#check(isDeepStrictEqual(seen, expected), () => difference(seen, expected), message);
  }

  /**
   * @param {unknown} actual
   * @param {unknown} unwanted
   * @param {string} [message]
   */
  notDeepEqual(actual, unwanted, message) {
    this.#check(!isDeepStrictEqual(actual, unwanted), () => `it is ${inspect(actual)}`, message);
  }

  /**
   * @param {Record<string, unknown>} actual
   * @param {Record<string, unknown>} expected some of its members
   * @param {string} [message]
   */
  like(actual, expected, message) {
    const part = Object.fromEntries(Object.keys(expected).map((key) => [key, actual[key]]));
    this.deepEqual(part, expected, message);
  }

  /**
   * @param {unknown} actual
   * @param {string} [message]
   */
  true(actual, message) {
    this.is(actual, true, message);
  }

  /**
   * @param {unknown} actual
   * @param {string} [message]
   */
  false(actual, message) {
    this.is(actual, false, message);
  }

  /**
   * @param {unknown} actual
   * @param {string} [message]
   */
  truthy(actual, message) {
    this.#check(Boolean(actual), () => `it is ${inspect(actual)}`, message);
  }

  /**
   * @param {unknown} actual
   * @param {string} [message]
   */
  falsy(actual, message) {
    this.#check(!actual, () => `it is ${inspect(actual)}`, message);
  }

  /**
   * @param {string} text
   * @param {RegExp} pattern
   * @param {string} [message]
   */
  regex(text, pattern, message) {
    this.#check(pattern.test(String(worded(text))), () => `${inspect(text)} does not match ${pattern}`, message);
  }

  /**
   * @param {string} text
   * @param {RegExp} pattern
   * @param {string} [message]
   */
  notRegex(text, pattern, message) {
    this.#check(!pattern.test(text), () => `${inspect(text)} matches ${pattern}`, message);
  }

  /**
   * @param {() => unknown} call
   * @param {Expectation} [expected]
   * @param {string} [message]
   */
  throws(call, expected = {}, message) {
    try {
      call();
    } catch (error) {
      const objection = unexpected(error, expected);
      this.#check(objection === undefined, () => String(objection), message);
      return error;
    }
    return this.fail(message ?? 'nothing was thrown');
  }

  /**
   * @param {() => unknown} call
   * @param {string} [message]
   */
  notThrows(call, message) {
    call();
    this.#check(true, () => '', message);
  }

  /**
   * @param {Promise<unknown> | (() => Promise<unknown>)} given
   * @param {Expectation} [expected]
   * @param {string} [message]
   */
  async throwsAsync(given, expected = {}, message) {
    try {
      await (typeof given === 'function' ? given() : given);
    } catch (error) {
      const objection = unexpected(error, expected);
      this.#check(objection === undefined, () => String(objection), message);
      return error;
    }
    return this.fail(message ?? 'nothing was thrown');
  }

  /** @param {number} count */
  plan(count) {
    this.planned = count;
  }

  /** @param {unknown[]} words */
  log(...words) {
    console.log(`# ${words.join(' ')}`);
  }

  /** @param {number} msecs */
  timeout(msecs) {
    this.limit = msecs;
  }

  /** @param {() => unknown} action */
  teardown(action) {
    this.cleanings.unshift(action);
  }
}

/** @type {Test[]} */
const serial = [];
/** @type {Test[]} */
const concurrent = [];
/** @type {string[]} */
const skipped = [];

let number = 0;
let failures = 0;

/**
 * @param {string} title
 * @param {string | undefined} failure
 */
function report(title, failure) {
  const reason = here.otherwise[title];
  const line = `${++number} - ${title}`;
  if (reason !== undefined && failure === undefined) failure = `it passes, and is listed as a difference: ${reason}`;
  else if (reason !== undefined) {
    console.log(`not ok ${line} # TODO ${reason}`);
    return;
  }
  if (failure === undefined) {
    console.log(`ok ${line}`);
    return;
  }
  failures++;
  console.log(`not ok ${line}\n${failure.replaceAll(/^/gm, '# ')}`);
}

/** @param {Test} test */
async function run({ title, body }) {
  const t = new Assertions(title);
  /** @type {string | undefined} */
  let failure;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  try {
    const limit = new Promise((_resolve, reject) => {
      const look = () => reject(new Error(`it did not end within ${t.limit} ms`));
      // Read when the test has begun, which may say how long it takes.
      setImmediate(() => (timer = setTimeout(look, t.limit)));
    });
    await Promise.race([body(t), limit]);
    if (t.planned !== undefined && t.planned !== t.count) failure = `${t.count} assertions, not ${t.planned}`;
  } catch (error) {
    failure = error instanceof assert.AssertionError ? error.message : inspect(error);
  }
  clearTimeout(timer);
  // oxlint-disable-next-line no-await-in-loop -- each may need what the next one takes away
  for (const action of t.cleanings) await action();
  report(title, failure);
}

/**
 * Runs what was declared, and ends the process.
 * @param {Here} given
 */
async function runAll(given) {
  here = given;
  const isSure = (/** @type {Test} */ { title }) => !(title in here.unsure);
  // oxlint-disable-next-line no-await-in-loop -- what they are declared for
  for (const test of serial.filter(isSure)) await run(test);
  await Promise.all(concurrent.filter(isSure).map(run));
  for (const title of skipped) console.log(`ok ${++number} - ${title} # SKIP`);
  for (const [title, reason] of Object.entries(here.unsure)) console.log(`ok ${++number} - ${title} # SKIP ${reason}`);
  const titles = new Set([...serial, ...concurrent].map(({ title }) => title));
  const listed = Object.keys({ ...here.otherwise, ...here.unsure });
  for (const title of listed.filter((each) => !titles.has(each))) {
    failures++;
    console.log(`not ok ${++number} - ${title}\n# it is listed, and there is no such test`);
  }
  console.log(`1..${number}`);
  process.exit(failures > 0 ? 1 : 0);
}

/**
 * @param {string} title
 * @param {Body} body
 */
function test(title, body) {
  concurrent.push({ title, body });
}

/**
 * @param {string} title
 * @param {Body} body
 */
test.serial = (title, body) => void serial.push({ title, body });

/** @param {string} title */
test.skip = (title) => void skipped.push(title);

module.exports = { runAll, test };
