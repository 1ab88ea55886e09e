// Ticks and timers that fake timers do not replace. Those replace the functions of a realm, of `node:timers` and of
// `process`, perhaps before this package is loaded. node:net is not affected, because it uses Node's internal timers; its
// `Socket` gives access to them here.
import { Socket } from 'node:net';
import { setTimeout } from 'node:timers';

import { vm } from './modules.js';

// In a vm context, `process` may be another object than Node's, with another `nextTick`. As in Node the method is looked
// up for each call.
const main: Pick<NodeJS.Process, 'nextTick'> =
  Socket instanceof Function ? process : (vm().runInThisContext('process') as NodeJS.Process);

/** As `process.nextTick` of Node's own `process`. */
export function nextTick<A extends unknown[]>(callback: (...args: A) => void, ...args: A): void {
  main.nextTick(callback, ...args);
}

/** As `queueMicrotask`: what `run` throws is an uncaught exception. */
export async function inMicrotask(run: () => void): Promise<void> {
  await undefined;
  try {
    run();
  } catch (error) {
    nextTick(() => {
      throw error;
    });
  }
}

/** The fields that `Socket.prototype.setTimeout` reads. It also stores the timer here, under a symbol of Node's. */
class Holder {
  readonly _parent = null;
  readonly destroyed = false;
  timeout = 0;
  readonly _onTimeout: () => void;
  [key: symbol]: NodeJS.Timeout;

  constructor(callback: () => void) {
    this._onTimeout = callback;
  }
}

// eslint-disable-next-line typescript/unbound-method
const { setTimeout: setSocketTimeout } = Socket.prototype;
const { bun, deno } = process.versions;
const isNode: boolean = bun === undefined && deno === undefined;
const loaded: typeof setTimeout = setTimeout;

let timerKey: symbol | undefined;

/**
 * A timer that does not keep the event loop alive. `refresh()` restarts it, `close()` stops it.
 *
 * @param msecs at least 1
 */
export function startTimer(callback: () => void, msecs: number): NodeJS.Timeout {
  if (!isNode) return loaded(callback, msecs).unref();
  const holder = new Holder(callback);
  Reflect.apply(setSocketTimeout, holder, [msecs]);
  timerKey ??= Object.getOwnPropertySymbols(holder).find((key) => typeof holder[key]?.refresh === 'function');
  return timerKey === undefined ? loaded(callback, msecs).unref() : (holder[timerKey] as NodeJS.Timeout);
}
