// Validation of arguments, with Node's errors. `name` is shown in the message: `port` for an argument, `options.port` for a
// property.
import { ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, ERR_SOCKET_BAD_PORT } from './errors.js';

const INT32_MAX = 0x7fff_ffff;

type Check<T> = (value: unknown, name: string) => asserts value is T;
// Any function: the caller knows its parameters.
type AnyFunction = (...args: never[]) => unknown;

export const validateBoolean: Check<boolean> = (value, name) => {
  if (typeof value !== 'boolean') throw new ERR_INVALID_ARG_TYPE(name, 'boolean', value);
};

export const validateFunction: Check<AnyFunction> = (value, name) => {
  if (typeof value !== 'function') throw new ERR_INVALID_ARG_TYPE(name, 'function', value);
};

/** NaN and infinities are numbers. */
export const validateNumber: Check<number> = (value, name) => {
  if (typeof value !== 'number') throw new ERR_INVALID_ARG_TYPE(name, 'number', value);
};

/** Neither null, an array nor a function is an object here. */
export const validateObject: Check<object> = (value, name) => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new ERR_INVALID_ARG_TYPE(name, 'object', value);
  }
};

export const validateString: Check<string> = (value, name) => {
  if (typeof value !== 'string') throw new ERR_INVALID_ARG_TYPE(name, 'string', value);
};

/** For strings passed to the operating system, where a NUL byte would end them. */
export const validateStringWithoutNullBytes: Check<string> = (value, name) => {
  validateString(value, name);
  if (value.includes('\0')) throw new ERR_INVALID_ARG_VALUE(name, value, 'must be a string without null bytes');
};

/** `undefined` passes. Anything with an `aborted` property does as well: signals of other realms and polyfills. */
export const validateAbortSignal: Check<AbortSignal | undefined> = (value, name) => {
  if (value === undefined) return;
  if (value === null || typeof value !== 'object' || !('aborted' in value)) {
    throw new ERR_INVALID_ARG_TYPE(name, 'AbortSignal', value);
  }
};

/** An integer from `min` to `max`, both included. Default: any that fits in 32 bits with a sign. */
export function validateInt32(
  value: unknown,
  name: string,
  min: number = -INT32_MAX - 1,
  max: number = INT32_MAX,
): asserts value is number {
  validateNumber(value, name);
  if (!Number.isInteger(value)) throw new ERR_OUT_OF_RANGE(name, 'an integer', value);
  if (value < min || value > max) throw new ERR_OUT_OF_RANGE(name, `>= ${min} && <= ${max}`, value);
}

/**
 * The class of a native handle is a function, and aborts the process when it is called as one. So it is no listener.
 *
 * @throws TypeError ERR_INVALID_ARG_VALUE
 */
export function validateListener(listener: ((...args: never[]) => unknown) | null): void {
  const { prototype } = (listener ?? {}) as { prototype?: { getAsyncId?: unknown } };
  if (typeof prototype?.getAsyncId !== 'function') return;
  throw new ERR_INVALID_ARG_VALUE('listener', listener, 'must be a function or a handle, not a class of handles');
}

/**
 * The port as a number. Accepts a number, or a string that JavaScript converts to one (`'0x50'`, `' 80'`), from 0 or 1 to
 * 65535.
 *
 * @throws RangeError ERR_SOCKET_BAD_PORT for anything else, whatever its type
 */
export function validatePort(value: unknown, name = 'Port', allowZero = true): number {
  const port =
    typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : -1;
  if (!Number.isInteger(port) || port > 0xffff || port < (allowZero ? 0 : 1)) {
    throw new ERR_SOCKET_BAD_PORT(name, value, allowZero);
  }
  // Turns -0 into 0.
  return port + 0;
}

/**
 * A timer's duration in milliseconds. Values above 2^31-1, the maximum of a timer, are reduced to that, with Node's warning.
 *
 * @throws RangeError ERR_OUT_OF_RANGE for a negative number, NaN or Infinity
 */
export function validateTimeout(msecs: unknown, name = 'msecs'): number {
  validateNumber(msecs, name);
  if (!(msecs >= 0) || msecs === Infinity) throw new ERR_OUT_OF_RANGE(name, 'a non-negative finite number', msecs);
  if (msecs <= INT32_MAX) return msecs;
  process.emitWarning(
    `${msecs} does not fit into a 32-bit signed integer.\nTimer duration was truncated to ${INT32_MAX}.`,
    'TimeoutOverflowWarning',
  );
  return INT32_MAX;
}
