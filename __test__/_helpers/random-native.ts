// A program: random calls of the native half, past all that checks arguments, with values of any type. Argument: the seed, or
// `vanish`.
// Whatever is answered or thrown is right; the process goes on and ends by itself.
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { addon } from './addon.js';
import { Dice } from './random-values.js';

type Plain = (...args: unknown[]) => unknown;
type Loose = Record<string, Plain>;
interface Native {
  Reactor: { new (...args: unknown[]): Loose; prototype: Loose };
}

const native = addon() as unknown as Native & Loose;

const CALLS = 3000;

/** No descriptor that may be open: one that is taken over is closed later, also when libuv owns it. */
const DESCRIPTORS: readonly unknown[] = [-1, -5, 9999, 1e6, 2 ** 31, 2 ** 32, NaN, 1.5];

const getters = {
  get length(): number {
    throw new Error('no length');
  },
};

function detached(): Uint8Array {
  const bytes = new Uint8Array(64);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

/** Memory that goes away while the list that has it is read. So much is given back to the system at once. */
function vanishing(size = 1 << 16): unknown[] {
  const first = new Uint8Array(size);
  const list: unknown[] = [first, 0, new Uint8Array(8)];
  Object.defineProperty(list, 1, {
    get() {
      if (first.byteLength > 0) structuredClone(first.buffer, { transfer: [first.buffer] });
      return new Uint8Array(4);
    },
  });
  return list;
}

function value(dice: Dice, ids: readonly number[]): unknown {
  const plain: unknown[] = [
    ...ids,
    ...ids,
    ...[
      0,
      1,
      2,
      3,
      7,
      -1,
      -0,
      1.5,
      255,
      256,
      65_535,
      65_536,
      2 ** 31,
      2 ** 32,
      2 ** 53,
      1e300,
      NaN,
      Infinity,
      -Infinity,
    ],
    ...[undefined, null, true, false, '', 'x', '127.0.0.1', '::1', 'a\0b', 'é'.repeat(40_000), '\ud800'],
    ...[1n, 2n ** 70n, Symbol('s'), {}, [], () => {}, /x/, new Date(), Promise.resolve(), getters, new Proxy([], {})],
    ...[
      new Uint8Array(3),
      Buffer.from('bytes'),
      new DataView(new ArrayBuffer(4)),
      new Float64Array(2),
      new ArrayBuffer(8),
    ],
    ...[new Uint8Array(new SharedArrayBuffer(4)), new BigInt64Array(1), new Uint8Array(0)],
  ];
  switch (dice.below(12)) {
    case 0:
      return detached();
    case 1:
      return vanishing();
    case 2:
      return Array.from({ length: dice.below(5) }, () => dice.one(plain));
    default:
      return dice.one(plain);
  }
}

const TAKES_DESCRIPTOR: ReadonlySet<string> = new Set(['open', 'duplicateDescriptor', 'guessHandleType']);

/** The function that makes TCP sockets. */
function openerOf(reactor: Loose): Plain {
  return reactor['opener']?.() as Plain;
}

/** Some values are paths: a local socket that is bound to one is a file, which the exit of the process leaves. */
function moveToOwnDirectory(): void {
  const before = process.cwd();
  const directory = mkdtempSync(join(tmpdir(), 'net-'));
  process.chdir(directory);
  process.on('exit', () => {
    process.chdir(before);
    rmSync(directory, { recursive: true, force: true });
  });
}

export function main(seed: number): void {
  moveToOwnDirectory();
  const dice = new Dice(seed);
  const reactor = new native.Reactor(() => {}, 1, dice.below(3), dice.below(3));
  const ids: number[] = [];
  const keep = (answer: unknown): void => {
    if (typeof answer === 'number' && answer > 0 && ids.length < 40) ids.push(answer);
  };
  const methods = Object.getOwnPropertyNames(native.Reactor.prototype).filter((name) => name !== 'constructor');
  const functions = Object.keys(native).filter((name) => typeof native[name] === 'function' && name !== 'Reactor');
  const openTcp = openerOf(reactor);
  const plain = [reactor['control']?.() as Plain, reactor['writer']?.() as Plain, openTcp];
  const options = (): object => ({
    noDelay: value(dice, ids),
    keepAlive: dice.one([value(dice, ids), { enable: true, idle: value(dice, ids), count: value(dice, ids) }]),
    typeOfService: value(dice, ids),
  });
  const attempt = (call: () => unknown): void => {
    try {
      keep(call());
    } catch {}
  };
  const call = (): void => {
    const args = Array.from({ length: dice.below(6) }, () => value(dice, ids));
    const which = dice.below(10);
    if (which === 0) {
      const name = dice.one(functions);
      if (TAKES_DESCRIPTOR.has(name)) args[0] = dice.one(DESCRIPTORS);
      attempt(() => native[name]?.(...args));
    } else if (which < 3) {
      attempt(() => dice.one(plain)?.(...args));
    } else if (which === 3) {
      // What a socket does, so that there are handles in all states.
      attempt(() => openTcp(0, dice.one([undefined, options()])));
      attempt(() => reactor['bindTcp']?.('127.0.0.1', 0, false, 0, dice.one([undefined, options()])));
      attempt(() => reactor['listen']?.(dice.one(ids), 5));
      attempt(() => reactor['connectTcp']?.(dice.one(ids), '127.0.0.1', 1, false));
    } else {
      const name = dice.one(methods);
      if (TAKES_DESCRIPTOR.has(name)) args[0] = dice.one(DESCRIPTORS);
      const owner = dice.rarely(20)
        ? dice.one<unknown>([{}, native.Reactor.prototype, Object.create(reactor), undefined])
        : reactor;
      attempt(() => Reflect.apply(reactor[name] as () => unknown, owner, args));
    }
  };
  const wrongReactors = (): void => {
    attempt(() => void new native.Reactor());
    attempt(() => void new native.Reactor({}, 1, 1, 1));
    attempt(() => void new native.Reactor(() => {}, 'x', {}, []));
    attempt(() => void new native.Reactor(() => {}, 0, 0, 0, 'later'));
    attempt(() => Reflect.apply(native.Reactor as never, undefined, [() => {}, 1, 0, 1]));
  };
  wrongReactors();
  let left = CALLS;
  const burst = (): void => {
    for (let i = 0; i < 100 && left > 0; i += 1, left -= 1) call();
    if (left > 0) setImmediate(burst);
    else finish();
  };
  const finish = (): void => {
    for (const id of ids) attempt(() => plain[0]?.(4, id));
    reactor['setRef']?.(false);
    console.log('went on');
    // Timers and sockets that the calls have brought about may keep the loop alive.
    setTimeout(() => process.exit(), 50);
  };
  burst();
}

/** Lists whose memory goes away, with a connection that would send it. */
export function vanish(): void {
  const reactor = new native.Reactor(() => {}, 1, 2, 1);
  const peer = createServer((accepted) => accepted.resume()).listen(0, '127.0.0.1', () => {
    const id = openerOf(reactor)(0);
    reactor['connectTcp']?.(id, '127.0.0.1', (peer.address() as AddressInfo).port, false);
    peer.once('connection', () => {
      const answers = [
        reactor['writev']?.(id, vanishing(64 << 20), false),
        reactor['sendOff']?.(id, vanishing(64 << 20), false),
      ];
      console.log(answers.every((answer) => typeof answer === 'number') ? 'went on' : answers);
      process.exit();
    });
  });
}

if (require.main === module) {
  if (process.argv[2] === 'vanish') vanish();
  else main(Number(process.argv[2]));
}
