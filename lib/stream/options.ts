// The options of a socket: those of its constructor, and those of the kernel's that may be asked for before there is a
// kernel socket to set them on.
import { type DuplexOptions, getDefaultHighWaterMark } from 'node:stream';

import { type AnyBlockList, validateBlockList } from '../address/block-list.js';
import type { BoundSocket } from './bound-socket.js';
import { ERR_INVALID_ARG_VALUE, ERR_INVALID_FD_TYPE, errnoException } from '../errors/errors.js';
import type { OnReadOptions } from './onread.js';
import type { StreamHandle } from '../handle/stream.js';
import { guessHandleType } from '../handle/binding.js';
import { Pipe } from '../handle/pipe.js';
import { TCP } from '../handle/tcp.js';
import { InheritedPipe } from '../handle/inherited-pipe.js';
import type { KeepAlive, ExposedHandle, SocketState } from './state.js';
import { validateInt32, validateNumber } from '../errors/validators.js';

/** Options of `new Socket()`. All of them may be given to `connect()` of the module as well. */
export interface SocketConstructorOptions extends Pick<
  DuplexOptions,
  'highWaterMark' | 'readableHighWaterMark' | 'writableHighWaterMark' | 'signal'
> {
  /** An open socket or pipe of this process to use; it belongs to the socket from then on. */
  fd?: number | undefined;
  /** An address to connect from that is bound already; it belongs to the socket from then on. */
  handle?: BoundSocket | undefined;
  /** Whether this side stays writable when the other one has ended. Default `false`. */
  allowHalfOpen?: boolean | undefined;
  /** Reads from `fd`, unless `false`. */
  readable?: boolean | undefined;
  /** Allows writing to `fd`. */
  writable?: boolean | undefined;
  /** Reads into memory of yours instead of emitting `data`. */
  onread?: OnReadOptions | undefined;
  /** `TCP_NODELAY`. Default `false`. */
  noDelay?: boolean | undefined;
  /** Keep-alive probes. Default `false`. */
  keepAlive?: boolean | undefined;
  /** Idle milliseconds before the first probe, in whole seconds. Default 0: what the system has. */
  keepAliveInitialDelay?: number | undefined;
  /** Type of service, 0 to 255, from the first packet on. */
  typeOfService?: number | undefined;
  /**
   * Whether what is piped from this socket to another one, or into it, may be moved without JavaScript as long as nobody
   * looks at it. Default `true`; the environment variable `FERRONET_RELAY=off` switches it off for all.
   */
  nativeRelay?: boolean | undefined;
  /** Addresses that must not be connected to. */
  blockList?: AnyBlockList | undefined;
}

/** The object form of `socket.setKeepAlive()`. */
export interface KeepAliveOptions {
  /** Default `false`. */
  enable?: boolean | undefined;
  /** Idle milliseconds before the first probe, in whole seconds. Default 0: what the system has. */
  initialDelay?: number | undefined;
  /** Milliseconds between probes, in whole seconds. Default 1000. */
  interval?: number | undefined;
  /** Unanswered probes that end the connection. Default 10. */
  count?: number | undefined;
}

/** What the constructor is given by this package itself, besides what users give. */
export interface InternalSocketOptions extends Omit<SocketConstructorOptions, 'handle'> {
  handle?: object | undefined;
  pauseOnCreate?: boolean | undefined;
  manualStart?: boolean | undefined;
}

// Streams of Node 20 buffer 16 KiB, a fourth of what the kernel hands out at once; of later Nodes 64 KiB.
const SMALL_DEFAULT = 16 * 1024;
const isSmallByDefault: boolean = getDefaultHighWaterMark(false) === SMALL_DEFAULT;

/** Bytes that a socket buffers in each direction when nobody says how many. */
export function defaultHighWaterMark(): number {
  const current = getDefaultHighWaterMark(false);
  return isSmallByDefault && current === SMALL_DEFAULT ? 64 * 1024 : current;
}

const UNSUPPORTED = ['objectMode', 'readableObjectMode', 'writableObjectMode'] as const;

/** Options as an object of our own, as the stream below takes them; a number is a descriptor. */
export function readSocketOptions(
  given: InternalSocketOptions | number | undefined,
): InternalSocketOptions & DuplexOptions {
  // What is set further down has its place from the start: adding a property to a copy takes V8 of Node 20 microseconds.
  const options: Record<string, unknown> = {
    allowHalfOpen: false,
    readableHighWaterMark: undefined,
    writableHighWaterMark: undefined,
    emitClose: false,
    autoDestroy: true,
    decodeStrings: false,
    ...(typeof given === 'number' ? { fd: given } : given),
  };
  for (const name of UNSUPPORTED) {
    if (options[name]) throw new ERR_INVALID_ARG_VALUE(`options.${name}`, options[name], 'is not supported');
  }
  if (options['keepAliveInitialDelay'] !== undefined) {
    validateNumber(options['keepAliveInitialDelay'], 'options.keepAliveInitialDelay');
  }
  if (options['typeOfService'] !== undefined) {
    validateInt32(options['typeOfService'], 'options.typeOfService', 0, 255);
  }
  validateBlockList(options['blockList'], 'options.blockList');
  options['allowHalfOpen'] = Boolean(options['allowHalfOpen']);
  options['readableHighWaterMark'] ??= defaultHighWaterMark();
  options['writableHighWaterMark'] ??= defaultHighWaterMark();
  // Ours comes when the handle has closed.
  options['emitClose'] = false;
  options['autoDestroy'] = true;
  // The handle encodes strings itself.
  options['decodeStrings'] = false;
  return options;
}

/** Whole seconds, by truncation. */
export function wholeSeconds(msecs: unknown): number {
  return Math.trunc(Number(msecs) / 1000) || 0;
}

/** As `wholeSeconds`, and what is negative counts as 0. */
export function idleSeconds(msecs: unknown): number {
  return Math.max(wholeSeconds(msecs), 0);
}

// Nobody checks the number of probes: what is no number is none.
function asUint32(value: unknown): number {
  return typeof value === 'symbol' ? 0 : Number(value) >>> 0;
}

/** A handle for a descriptor of this process. Type and number are checked, but it is not opened yet. */
export function createHandle(fd: number, forServer: boolean): StreamHandle {
  validateInt32(fd, 'fd', 0);
  const type = guessHandleType(fd);
  if (type === 'PIPE') return new Pipe(forServer ? Pipe.SERVER : Pipe.SOCKET);
  if (type === 'TCP') return new TCP(forServer ? TCP.SERVER : TCP.SOCKET);
  throw new ERR_INVALID_FD_TYPE(type);
}

/** A socket's handle of a descriptor, which is the handle's from then on. */
export function openDescriptor(fd: number): StreamHandle {
  if (process.platform === 'win32') {
    validateInt32(fd, 'fd', 0);
    return new InheritedPipe(fd);
  }
  const handle = createHandle(fd, false);
  const errno = handle.open(fd);
  if (errno < 0) throw errnoException(errno, 'open');
  return handle;
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
 * Tells of times that are lost: below a second they truncate to 0, which leaves what the system has. Node does it since
 * version 27, in each call.
 */
export function warnOfLostTimes(
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

export function sameKeepAlive(a: KeepAlive, b: KeepAlive): boolean {
  return a.enable === b.enable && a.idle === b.idle && a.interval === b.interval && a.count === b.count;
}

export function applyKeepAlive(handle: ExposedHandle, { enable, idle, interval, count }: KeepAlive): void {
  // Pipes have none of these options, and a handle may come from elsewhere.
  if (interval === undefined && count === undefined) handle.setKeepAlive?.(enable, idle);
  else handle.setKeepAlive?.(enable, idle, interval, count);
}

/** Sets what was asked for before there was a socket to set it on. */
export function applyOptions(handle: ExposedHandle, state: SocketState): void {
  if (state.noDelay) handle.setNoDelay?.(true);
  if (state.keepAlive.enable) applyKeepAlive(handle, state.keepAlive);
  applyTypeOfService(handle, state);
}

/** 0 or a negative error. */
export function applyTypeOfService(handle: ExposedHandle, { typeOfService }: SocketState): number {
  if (typeOfService === undefined) return 0;
  return handle.setTypeOfService?.(typeOfService) ?? 0;
}
