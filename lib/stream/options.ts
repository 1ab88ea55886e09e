// The options of `new Socket()`: their types, what is wrong with them, and their defaults.
import type { DuplexOptions } from 'node:stream';

import { type AnyBlockList, validateBlockList } from '../address/block-list.js';
import { ERR_INVALID_ARG_VALUE } from '../errors/errors.js';
import { validateInt32, validateNumber } from '../errors/validators.js';
import type { BoundSocket } from './bound-socket.js';
import { defaultHighWaterMark } from './high-water-mark.js';
import type { OnReadOptions } from './onread.js';

/** Options of `new Socket()`. All of them may be given to `connect()` of the module as well. */
export interface SocketConstructorOptions extends Pick<
  DuplexOptions,
  'highWaterMark' | 'readableHighWaterMark' | 'writableHighWaterMark' | 'signal'
> {
  /** An open socket or pipe of this process. The new socket owns it and closes it. */
  fd?: number | undefined;
  /** An address to connect from that is bound already. The new socket adopts it. */
  handle?: BoundSocket | undefined;
  /** Whether this side stays writable when the other one has ended. Default `false`. */
  allowHalfOpen?: boolean | undefined;
  /** Reads from `fd`, unless `false`. */
  readable?: boolean | undefined;
  /** Allows writing to `fd`. */
  writable?: boolean | undefined;
  /** Reads into your own buffer instead of emitting `data`. */
  onread?: OnReadOptions | undefined;
  /** `TCP_NODELAY`. Default `false`. */
  noDelay?: boolean | undefined;
  /** Keep-alive probes. Default `false`. */
  keepAlive?: boolean | undefined;
  /** Idle milliseconds before the first probe, in whole seconds. Default 0: the system's setting. */
  keepAliveInitialDelay?: number | undefined;
  /** Type of service, 0 to 255, from the first packet on. */
  typeOfService?: number | undefined;
  /**
   * Whether the reactor may move data that is piped from this socket, or into it, without JavaScript while no listener
   * observes it. Default `true`; the environment variable `FERRONET_RELAY=off` disables it for all sockets.
   */
  nativeRelay?: boolean | undefined;
  /** Addresses that must not be connected to. */
  blockList?: AnyBlockList | undefined;
}

/** Options that this package passes to the constructor, besides those of users. */
export interface InternalSocketOptions extends Omit<SocketConstructorOptions, 'handle'> {
  handle?: object | undefined;
  pauseOnCreate?: boolean | undefined;
  manualStart?: boolean | undefined;
}

/** The options of an accepted socket: complete and valid, so the constructor takes them as they are. */
export class AcceptedOptions implements InternalSocketOptions {
  readonly handle: object;
  readonly allowHalfOpen: boolean;
  readonly pauseOnCreate: boolean;
  /** `false`, or not set. */
  readonly nativeRelay: boolean | undefined;
  readonly readableHighWaterMark: number;
  readonly writableHighWaterMark: number;
  readonly manualStart = true;
  readonly readable = true;
  readonly writable = true;
  readonly emitClose = false;
  readonly autoDestroy = true;
  readonly decodeStrings = false;

  /** @param highWaterMark of both directions; the system's default if undefined */
  constructor(
    handle: object,
    allowHalfOpen: boolean,
    pauseOnCreate: boolean,
    highWaterMark: number | undefined,
    nativeRelay: boolean | undefined,
  ) {
    this.handle = handle;
    this.allowHalfOpen = allowHalfOpen;
    this.pauseOnCreate = pauseOnCreate;
    this.nativeRelay = nativeRelay;
    this.readableHighWaterMark = this.writableHighWaterMark = highWaterMark ?? defaultHighWaterMark();
  }
}

const UNSUPPORTED = ['objectMode', 'readableObjectMode', 'writableObjectMode'] as const;

/** A copy of the options with the defaults that `Duplex` needs. A number is a descriptor. */
export function readSocketOptions(
  given: InternalSocketOptions | number | undefined,
): InternalSocketOptions & DuplexOptions {
  if (given instanceof AcceptedOptions) return given;
  // Every property that is set below exists from the start: adding one to a copy costs V8 of Node 20 microseconds.
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
  // `close` is emitted when the handle has closed (close.ts).
  options['emitClose'] = false;
  options['autoDestroy'] = true;
  // The handle encodes strings itself.
  options['decodeStrings'] = false;
  return options;
}
