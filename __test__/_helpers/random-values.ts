// Chance that can be repeated: the same seed gives the same numbers, and so the same calls with the same arguments.

export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, not including, `limit` (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  one<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  /** True once in `times`. */
  rarely(times: number): boolean {
    return this.below(times) === 0;
  }
}

const nothing = (): void => {};

const NUMBERS: readonly unknown[] = [
  0,
  1,
  2,
  5,
  20,
  1000,
  -1,
  1.5,
  1e9,
  1e12,
  NaN,
  Infinity,
  '7',
  'x',
  null,
  undefined,
];
const ODD: readonly unknown[] = [undefined, null, true, false, 0, -1, 'x', '', {}, [], Symbol('odd'), 1n, nothing];

/** What is written: right, wrong, small, and more than a kernel takes at once. */
function chunk(dice: Dice): unknown {
  if (dice.rarely(8)) return dice.one(ODD);
  const small: unknown[] = ['abc', '', 'ff0', Buffer.from('é'), new Uint16Array(3), new DataView(new ArrayBuffer(2))];
  return dice.rarely(8) ? Buffer.alloc(dice.one([1 << 16, 4 << 20])) : dice.one(small);
}

const ENCODINGS: readonly unknown[] = ['utf8', 'hex', 'latin1', 'ucs2', 'base64', 'buffer', 'nope', null, {}];

export function writeArguments(dice: Dice): unknown[] {
  const args = [chunk(dice)];
  if (dice.rarely(2)) args.push(dice.one(ENCODINGS));
  if (dice.rarely(2)) args.push(dice.rarely(10) ? dice.one(ODD) : nothing);
  return args;
}

export function numbers(dice: Dice): unknown[] {
  return Array.from({ length: dice.below(4) }, () => dice.one(NUMBERS));
}

export function odd(dice: Dice): unknown[] {
  return Array.from({ length: dice.below(3) }, () => dice.one(ODD));
}

/** Only loopback, so that a test sends nothing anywhere. */
const HOSTS: readonly unknown[] = ['127.0.0.1', '127.0.0.1', '::1', 'localhost', '', undefined, 5];

/** Where to connect: to one of `ports` mostly, to a path of `paths`, or to nowhere. */
export function connectArguments(dice: Dice, ports: readonly number[], paths: readonly string[]): unknown[] {
  if (dice.rarely(6)) return odd(dice);
  if (dice.rarely(4)) return [dice.rarely(2) ? dice.one(paths) : { path: dice.one(paths) }];
  const port = dice.rarely(5) ? dice.one([1, 1, -1, 70_000, 'x', '1', NaN]) : dice.one(ports);
  if (dice.rarely(2)) return [port, '127.0.0.1', ...(dice.rarely(2) ? [nothing] : [])];
  const options: Record<string, unknown> = { port, host: dice.one(HOSTS) };
  if (dice.rarely(4)) options['localAddress'] = dice.one(['127.0.0.1', '::1', 'x', 5]);
  if (dice.rarely(4)) {
    options['host'] = 'two.test';
    options['autoSelectFamilyAttemptTimeout'] = dice.one([10, 1, 0, 'x']);
    const answers = [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ].slice(dice.below(2));
    options['lookup'] = (_name: string, { all }: { all?: boolean }, callback: (...args: unknown[]) => void) =>
      process.nextTick(callback, null, ...(all ? [answers] : [answers[0]?.address, answers[0]?.family]));
  }
  return [options];
}

export function listenArguments(dice: Dice, ports: readonly number[], paths: readonly string[]): unknown[] {
  if (dice.rarely(6)) return odd(dice).filter((value) => typeof value !== 'string');
  if (dice.rarely(4)) return [dice.one(paths)];
  if (ports.length > 0 && dice.rarely(4)) return [dice.one(ports), '127.0.0.1'];
  if (dice.rarely(4)) return [{ fd: dice.one([-1, 9999, 'x']) }];
  const host = dice.one(['127.0.0.1', '::1', '127.0.0.1', undefined]);
  return dice.rarely(2) ? [0, host, ...odd(dice)] : [{ port: 0, host, backlog: dice.one(NUMBERS) }];
}

export function socketOptions(dice: Dice, signal: AbortSignal): unknown {
  if (dice.rarely(8)) return dice.one(ODD.filter((value) => typeof value !== 'number'));
  return {
    allowHalfOpen: dice.rarely(3),
    ...(dice.rarely(6) && { signal }),
    ...(dice.rarely(6) && { highWaterMark: dice.one(NUMBERS) }),
    ...(dice.rarely(6) && { onread: { buffer: Buffer.alloc(dice.one([1, 100])), callback: () => !dice.rarely(3) } }),
    ...(dice.rarely(6) && { keepAlive: true, keepAliveInitialDelay: dice.one(NUMBERS) }),
    ...(dice.rarely(6) && { noDelay: true }),
  };
}
