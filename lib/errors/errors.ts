// Every error this package creates, shaped as Node shapes it: plain Error, TypeError or RangeError objects whose only
// own enumerable addition is `code` (misuse), or `errno`, `code`, `syscall` and the address (system errors).
//
// Numbers and texts of system errors come from the running Node, so they are right on every platform. Stacks start at the
// caller of the factory.
import { format, getSystemErrorMap, getSystemErrorName } from 'node:util';

import { define } from '../node/define.js';
import {
  describeArgValue,
  describeExpected,
  describeMissing,
  describeName,
  describeOutOfRange,
  describeReceived,
  type Names,
} from './text.js';

/** An error of this package, with Node's `code`. System errors also have `errno`, `syscall` and the address. */
export interface NetError extends NodeJS.ErrnoException {
  address?: string | null;
  port?: number | string;
  localAddress?: string;
  localPort?: number;
}

/** Used with `new`, like Node's own classes of the same names; the object made is of the plain class. */
export type Coded<A extends unknown[]> = new (...args: A) => NetError;

type Frame = (...args: never[]) => unknown;

// Node heads the stack with `TypeError [CODE]: message`, also of an empty message, while `name` stays `TypeError`. V8 takes
// the head from `name` when it formats the stack, so the error has the long name just for that moment. Without a message V8
// prints the name alone.
function headStack(error: Error, code: string, below: Frame): void {
  const title = `${error.name} [${code}]${error.message === '' ? ': ' : ''}`;
  define(error, 'name', { value: title, configurable: true });
  Error.captureStackTrace(error, below);
  // Reading formats it. With Error.stackTraceLimit = 0 or non-writable there is only the head, as in Node.
  void error.stack;
  delete (error as { name?: string }).name;
}

// As in Node, a prototype between an error and its class prints the code. Only `code` is an own property of the error, and
// its `constructor` is TypeError itself.
function withPrintedCode(Base: ErrorConstructor): Error {
  return define(Object.create(Base.prototype) as Error, 'toString', {
    value(this: NetError): string {
      return `${this.name} [${this.code}]: ${this.message}`;
    },
    configurable: true,
    writable: true,
  });
}

const prototypes = new Map([Error, TypeError, RangeError].map((Base) => [Base, withPrintedCode(Base)]));

function codedError(Base: ErrorConstructor, code: string, message: string, fields: object, below: Frame): NetError {
  const error: NetError = new Base(message);
  // With the class's own toString(): a program's Error.prepareStackTrace may call it, and would see the code twice.
  headStack(error, code, below);
  error.code = code;
  Object.setPrototypeOf(error, prototypes.get(Base) ?? Base.prototype);
  return Object.assign(error, fields);
}

export function coded<A extends unknown[]>(
  Base: ErrorConstructor,
  code: string,
  text: (...args: A) => string,
  fields?: (...args: A) => object,
): Coded<A> {
  function factory(...args: A): NetError {
    return codedError(Base, code, text(...args), fields?.(...args) ?? {}, factory);
  }
  return factory as unknown as Coded<A>;
}

// ---- Misuse --------------------------------------------------------------------------------------------------------

/** `expected`: `'string'`, `'AbortSignal'`, `'net.BlockList'`, or several: `['number', 'string']`. */
export const ERR_INVALID_ARG_TYPE: Coded<[name: string, expected: string | readonly string[], actual: unknown]> = coded(
  TypeError,
  'ERR_INVALID_ARG_TYPE',
  (name, expected, actual) =>
    `The ${describeName(name)} must be ${describeExpected(expected)}. Received ${describeReceived(actual)}`,
);

/** `reason` completes "The argument 'x' …", default `is invalid`. */
export const ERR_INVALID_ARG_VALUE: Coded<[name: string, value: unknown, reason?: string]> = coded(
  TypeError,
  'ERR_INVALID_ARG_VALUE',
  (name, value, reason = 'is invalid') =>
    `The ${name.includes('.') ? 'property' : 'argument'} '${name}' ${reason}. Received ${describeArgValue(value)}`,
);

/** `range` completes "It must be …". */
export const ERR_OUT_OF_RANGE: Coded<[name: string, range: string, value: unknown]> = coded(
  RangeError,
  'ERR_OUT_OF_RANGE',
  (name, range, value) =>
    `The value of "${name}" is out of range. It must be ${range}. Received ${describeOutOfRange(value)}`,
);

export const ERR_SOCKET_BAD_PORT: Coded<[name: string, port: unknown, allowZero?: boolean]> = coded(
  RangeError,
  'ERR_SOCKET_BAD_PORT',
  (name, port, allowZero = true) =>
    `${name} should be ${allowZero ? '>=' : '>'} 0 and < 65536. Received ${describeReceived(port)}.`,
);

/** One name an argument; an array names alternatives: `['options', 'port', 'path']`. */
export const ERR_MISSING_ARGS: Coded<[Names, ...Names[]]> = coded(TypeError, 'ERR_MISSING_ARGS', describeMissing);

export const ERR_INVALID_FD_TYPE: Coded<[type: string]> = coded(
  TypeError,
  'ERR_INVALID_FD_TYPE',
  (type) => `Unsupported fd type: ${type}`,
);

export const ERR_INVALID_HANDLE_TYPE: Coded<[]> = coded(
  TypeError,
  'ERR_INVALID_HANDLE_TYPE',
  () => 'This handle type cannot be sent',
);

export const ERR_INVALID_IP_ADDRESS: Coded<[address: unknown]> = coded(TypeError, 'ERR_INVALID_IP_ADDRESS', (address) =>
  format('Invalid IP address: %s', address),
);

/** A `lookup` function returned an invalid family. Has own properties `host` and `port` as well. */
export const ERR_INVALID_ADDRESS_FAMILY: Coded<[family: unknown, host: string, port: number | string]> = coded(
  RangeError,
  'ERR_INVALID_ADDRESS_FAMILY',
  (family, host, port) => `Invalid address family: ${String(family)} ${host}:${port}`,
  (_family, host, port) => ({ host, port }),
);

// ---- Wrong moment --------------------------------------------------------------------------------------------------

export const ERR_IP_BLOCKED: Coded<[address: string]> = coded(
  Error,
  'ERR_IP_BLOCKED',
  (address) => `IP(${address}) is blocked by net.BlockList`,
);

export const ERR_SERVER_ALREADY_LISTEN: Coded<[]> = coded(
  Error,
  'ERR_SERVER_ALREADY_LISTEN',
  () => 'Listen method has been called more than once without closing.',
);

export const ERR_SERVER_NOT_RUNNING: Coded<[]> = coded(Error, 'ERR_SERVER_NOT_RUNNING', () => 'Server is not running.');

/** `reason`: what the state is, and what to do about it. */
export const ERR_INVALID_STATE: Coded<[reason: string]> = coded(
  Error,
  'ERR_INVALID_STATE',
  (reason) => `Invalid state: ${reason}`,
);

/** Of a channel to another process. */
export const ERR_IPC_CHANNEL_CLOSED: Coded<[]> = coded(Error, 'ERR_IPC_CHANNEL_CLOSED', () => 'Channel closed');

export const ERR_SOCKET_CLOSED: Coded<[]> = coded(Error, 'ERR_SOCKET_CLOSED', () => 'Socket is closed');

export const ERR_SOCKET_CLOSED_BEFORE_CONNECTION: Coded<[]> = coded(
  Error,
  'ERR_SOCKET_CLOSED_BEFORE_CONNECTION',
  () => 'Socket closed before the connection was established',
);

/** All connection attempts ended without an error of their own. */
export const ERR_SOCKET_CONNECTION_TIMEOUT: Coded<[]> = coded(
  Error,
  'ERR_SOCKET_CONNECTION_TIMEOUT',
  () => 'Socket connection timeout',
);

export const ERR_SOCKET_HANDLE_ADOPTED: Coded<[]> = coded(
  Error,
  'ERR_SOCKET_HANDLE_ADOPTED',
  () => 'The bound socket has already been adopted by a server or socket',
);

const FRESH = 'it must be a freshly created or accepted handle that has not started reading and has no pending writes';

/** The default `reason` is Node's text. */
export const ERR_WORKER_HANDLE_NOT_TRANSFERABLE: Coded<[what: string, reason?: string]> = coded(
  Error,
  'ERR_WORKER_HANDLE_NOT_TRANSFERABLE',
  (what, reason = FRESH) => `${what} cannot be transferred in its current state; ${reason}`,
);

/** A refusal of the permission model. As in Node, without `[ERR_ACCESS_DENIED]` in the stack head. */
export function accessDenied(message: string, resource: string, below: Frame): NetError {
  const error = new Error(message);
  Error.captureStackTrace(error, below);
  return Object.assign(error, { code: 'ERR_ACCESS_DENIED', permission: 'Net', resource });
}

/** A write after this side's FIN. As in Node: the code `EPIPE`, no errno, and no `[EPIPE]` in the stack head. */
export function endedByOtherPartyError(): NetError {
  const error: NetError = new Error('This socket has been ended by the other party');
  Error.captureStackTrace(error, endedByOtherPartyError);
  error.code = 'EPIPE';
  return error;
}

/** The error of an aborted operation. Own keys `code` and `name`; `cause` is the signal's reason. */
export class AbortError extends Error {
  readonly code: string;

  constructor(message = 'The operation was aborted', options?: ErrorOptions) {
    super(message, options);
    this.code = 'ABORT_ERR';
    this.name = 'AbortError';
  }
}

// ---- System errors: numbers are libuv's (negative) ----------------------------------------------------------------

let errnoByName: Map<string, number> | undefined;

function numbersByName(): Map<string, number> {
  const numbers = new Map<string, number>();
  getSystemErrorMap().forEach((known, errno) => numbers.set(known[0], errno));
  return numbers;
}

/** libuv's number of an error name on this platform: `uvErrno('EOF')` is -4095. @throws RangeError for an unknown name */
export function uvErrno(name: string): number {
  errnoByName ??= numbersByName();
  const errno = errnoByName.get(name);
  if (errno === undefined) throw new RangeError(`No system error is named ${name}`);
  return errno;
}

/** `write EPIPE`: keys errno, code, syscall. `original` is appended to the message. */
export function errnoException(errno: number, syscall: string, original?: string): NetError {
  const code = getSystemErrorName(errno);
  const error: NetError = new Error(original ? `${syscall} ${code} ${original}` : `${syscall} ${code}`);
  Error.captureStackTrace(error, errnoException);
  return Object.assign(error, { errno, code, syscall });
}

function describeTarget(address: unknown, port: unknown): string {
  if (port && Number(port) > 0) return ` ${address}:${port}`;
  return address ? ` ${address}` : '';
}

/**
 * `connect ECONNREFUSED 127.0.0.1:1 - Local (127.0.0.1:39991)`: keys errno, code, syscall, address and, unless it is 0
 * or absent, port. `local` is the text between the parentheses.
 */
export function exceptionWithHostPort(
  errno: number,
  syscall: string,
  address?: string | null,
  port?: number | string,
  local?: string,
): NetError {
  const code = getSystemErrorName(errno);
  const tail = local ? ` - Local (${local})` : '';
  const error: NetError = new Error(`${syscall} ${code}${describeTarget(address, port)}${tail}`);
  Error.captureStackTrace(error, exceptionWithHostPort);
  Object.assign(error, { errno, code, syscall, address });
  if (port) error.port = port;
  return error;
}

/**
 * `listen EADDRINUSE: address already in use 127.0.0.1:80`: with libuv's text, and keys in the order code, errno,
 * syscall, address, port. Unix paths carry port -1, descriptors the address null.
 */
export function listenException(
  errno: number,
  address: string | null | undefined,
  port?: number | string,
  syscall = 'listen',
): NetError {
  const { 0: code, 1: text } = getSystemErrorMap().get(errno) ?? [getSystemErrorName(errno), 'unknown error'];
  const error: NetError = new Error(`${syscall} ${code}: ${text}${describeTarget(address, port)}`);
  Error.captureStackTrace(error, listenException);
  Object.assign(error, { code, errno, syscall, address });
  if (port) error.port = port;
  return error;
}

/** The error of a connection attempt that has timed out. */
export function connectionTimeoutError(address: string, port: number): NetError {
  return exceptionWithHostPort(uvErrno('ETIMEDOUT'), 'connect', address, port);
}

/** The error when all addresses of a name have failed: as in Node without a message, and with the code of the first. */
export function aggregateError(errors: readonly NetError[]): AggregateError & { code?: string } {
  const error: AggregateError & { code?: string } = new AggregateError(errors);
  const code = errors[0]?.code;
  if (code !== undefined) {
    headStack(error, code, aggregateError);
    error.code = code;
  }
  return error;
}
