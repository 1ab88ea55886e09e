// The options of a server.
import { type AnyBlockList, validateBlockList } from '../address/block-list.js';
import { ERR_INVALID_ARG_TYPE } from '../errors/errors.js';
import { validateNumber } from '../errors/validators.js';

/** Options of `createServer()`. */
export interface ServerOptions {
  /** Whether accepted sockets stay writable when the other side has ended. Default `false`. */
  allowHalfOpen?: boolean | undefined;
  /** Accepted sockets read nothing until they are resumed. Default `false`. */
  pauseOnConnect?: boolean | undefined;
  /** `TCP_NODELAY` on accepted sockets. Default `false`. */
  noDelay?: boolean | undefined;
  /** The socket option of this name, for accepted sockets. Default `true`. */
  nativeRelay?: boolean | undefined;
  /** Keep-alive probes on accepted sockets. Default `false`. */
  keepAlive?: boolean | undefined;
  /** Idle milliseconds before the first probe, in whole seconds. Default 0: the system's setting. */
  keepAliveInitialDelay?: number | undefined;
  /** Bytes that an accepted socket buffers in each direction. Default `stream.getDefaultHighWaterMark()`. */
  highWaterMark?: number | undefined;
  /** Connections from these addresses are closed without an event. */
  blockList?: AnyBlockList | undefined;
}

/**
 * The options of a constructor's first argument, which may be a listener instead.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE
 */
export function readServerOptions(given: unknown): ServerOptions {
  if (given === undefined || given === null || typeof given === 'function') return {};
  if (typeof given !== 'object') throw new ERR_INVALID_ARG_TYPE('options', 'object', given);
  const options: ServerOptions = { ...given };
  if (options.keepAliveInitialDelay !== undefined) {
    validateNumber(options.keepAliveInitialDelay, 'options.keepAliveInitialDelay');
  }
  if (options.highWaterMark !== undefined) validateNumber(options.highWaterMark, 'options.highWaterMark');
  validateBlockList(options.blockList, 'options.blockList');
  return options;
}
