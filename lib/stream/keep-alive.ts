// The arguments of `setKeepAlive`: milliseconds as programs give them, seconds as the kernel takes them.
import type { KeepAlive } from '../handle/options.js';

/** The object form of `socket.setKeepAlive()`. */
export interface KeepAliveOptions {
  /** Default `false`. */
  enable?: boolean | undefined;
  /** Idle milliseconds before the first probe, in whole seconds. Default 0: the system's setting. */
  initialDelay?: number | undefined;
  /** Milliseconds between probes, in whole seconds. Default 1000. */
  interval?: number | undefined;
  /** Unanswered probes that end the connection. Default 10. */
  count?: number | undefined;
}

/** What a socket has that never set keep-alive. */
export const NO_KEEP_ALIVE: Readonly<KeepAlive> = { enable: false, idle: 0, interval: undefined, count: undefined };

/**
 * What a handle without a descriptor gets that is asked for keep-alive without a delay: libuv has times of its own for it,
 * and Node's second call, after connecting, leaves them. So `connect(…).setKeepAlive(true)` notices a dead peer after 70 s,
 * and a call before `connect` or after `connect` was emitted, after the two hours of the system.
 */
export const OPENING_KEEP_ALIVE: Readonly<KeepAlive> = { enable: true, idle: 60, interval: 1, count: 10 };

/** Whole seconds, by truncation. */
function wholeSeconds(msecs: unknown): number {
  return Math.trunc(Number(msecs) / 1000) || 0;
}

/** As `wholeSeconds`; a negative time counts as 0. */
export function idleSeconds(msecs: unknown): number {
  return Math.max(wholeSeconds(msecs), 0);
}

// Node does not validate the number of probes: what is not a number counts as 0.
function asUint32(value: unknown): number {
  return typeof value === 'symbol' ? 0 : Number(value) >>> 0;
}

/** The arguments of `setKeepAlive` in both forms. */
export function readKeepAlive(
  enable: boolean | KeepAliveOptions | null | undefined,
  initialDelay: unknown,
  interval: unknown,
  count: unknown,
): KeepAlive {
  const given =
    typeof enable === 'object' && enable !== null ? enable : { enable: Boolean(enable), initialDelay, interval, count };
  return {
    enable: Boolean(given.enable),
    idle: idleSeconds(given.initialDelay),
    interval: given.interval === undefined ? undefined : wholeSeconds(given.interval),
    count: given.count === undefined ? undefined : asUint32(given.count),
  };
}

/**
 * Warns of times below a second: they truncate to 0, which leaves the system's setting. Node does it since version 27, in
 * each call.
 */
export function warnOfTruncatedTimes(
  enable: boolean | KeepAliveOptions | null | undefined,
  initialDelay: unknown,
  interval: unknown,
): void {
  const given = typeof enable === 'object' && enable !== null ? enable : { enable, initialDelay, interval };
  if (!given.enable) return;
  for (const name of ['initialDelay', 'interval'] as const) {
    const msecs = Number(given[name]);
    if (!(msecs > 0 && msecs < 1000)) continue;
    process.emitWarning(
      `setKeepAlive() was given an ${name} of ${msecs} ms, which counts as 0 s and leaves what the system has. Keep-alive ` +
        'takes whole seconds: give at least 1000 ms.',
      'KeepAliveWarning',
    );
  }
}

/** `undefined`: it was never set. */
export function sameKeepAlive(a: KeepAlive = NO_KEEP_ALIVE, b: KeepAlive = NO_KEEP_ALIVE): boolean {
  return a.enable === b.enable && a.idle === b.idle && a.interval === b.interval && a.count === b.count;
}
