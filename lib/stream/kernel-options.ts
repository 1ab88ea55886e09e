// Options of the kernel's socket. A program may set them before there is one: they are stored in the state, and applied
// when the handle connects.
import { ERR_INVALID_ARG_TYPE, errnoException, uvErrno } from '../errors/errors.js';
import { validateInt32 } from '../errors/validators.js';
import {
  type KeepAliveOptions,
  OPENING_KEEP_ALIVE,
  readKeepAlive,
  sameKeepAlive,
  warnOfTruncatedTimes,
} from './keep-alive.js';
import type { KeepAlive, TcpOptions } from '../handle/options.js';
import type { SocketHandle } from '../handle/socket.js';
import { TCP } from '../handle/tcp.js';
import { type ExposedHandle, kState, type SocketCore } from './state.js';

// Windows sets the type of service by policies only. Node ignores that it cannot be set there.
const UV_ENOSYS: number = uvErrno('ENOSYS');

/** Sets options of a handle that is about to connect. One that has no socket yet sets them when it has. */
export function applyOptions(handle: ExposedHandle, { noDelay, keepAlive, typeOfService }: TcpOptions): void {
  if (noDelay) handle.setNoDelay?.(true);
  if (keepAlive?.enable) applyKeepAlive(handle, keepAlive);
  applyTypeOfService(handle, typeOfService);
}

export function setNoDelay(socket: SocketCore, enable: boolean): void {
  const state = socket[kState];
  if (enable === Boolean(state.kernelOptions.noDelay) && state.handle !== null) return;
  state.kernelOptions = { ...state.kernelOptions, noDelay: enable };
  state.exposed?.setNoDelay?.(enable);
}

/** Both forms of `socket.setKeepAlive`. */
export function setKeepAlive(
  socket: SocketCore,
  enable: boolean | KeepAliveOptions | null | undefined,
  initialDelay: unknown,
  interval: unknown,
  count: unknown,
): void {
  const state = socket[kState];
  const wanted = readKeepAlive(enable, initialDelay, interval, count);
  const before = state.kernelOptions.keepAlive;
  // An http.Agent repeats the settings whenever it takes a socket back: that costs no call and prints no warning.
  if (sameKeepAlive(before, wanted)) return;
  const keepAlive = wanted.enable && wanted.idle === 0 && isOpening(state.handle) ? OPENING_KEEP_ALIVE : wanted;
  state.kernelOptions = { ...state.kernelOptions, keepAlive };
  warnOfTruncatedTimes(enable, initialDelay, interval);
  if (state.exposed !== null) applyKeepAlive(state.exposed, keepAlive);
}

/** @throws as `socket.setTypeOfService` */
export function setTypeOfService(socket: SocketCore, tos: number): void {
  if (Number.isNaN(tos)) throw new ERR_INVALID_ARG_TYPE('tos', 'number', tos);
  validateInt32(tos, 'tos', 0, 255);
  const state = socket[kState];
  state.kernelOptions = { ...state.kernelOptions, typeOfService: tos };
  if (state.exposed === null) return;
  const errno = applyTypeOfService(state.exposed, tos);
  // A handle of Node's that has no descriptor yet refuses: it gets the option when it connects. node:net throws EBADF then.
  if (errno < 0 && errno !== UV_ENOSYS && !socket.connecting) throw errnoException(errno, 'setTypeOfService');
}

export function typeOfService(socket: SocketCore): number {
  const { exposed, kernelOptions } = socket[kState];
  const stored = kernelOptions.typeOfService;
  if (!exposed?.getTypeOfService || socket.connecting) return stored ?? 0;
  const found = exposed.getTypeOfService();
  if (found >= 0) return found;
  if (found !== UV_ENOSYS) throw errnoException(found, 'getTypeOfService');
  return stored ?? 0;
}

/** Whether `connect` was called and there is no descriptor yet. */
function isOpening(handle: SocketHandle | null): boolean {
  return handle instanceof TCP && handle.descriptor < 0;
}

// Pipes have no keep-alive, and a handle that a program has written may lack any method.
function applyKeepAlive(handle: ExposedHandle, { enable, idle, interval, count }: KeepAlive): void {
  if (interval === undefined && count === undefined) handle.setKeepAlive?.(enable, idle);
  else handle.setKeepAlive?.(enable, idle, interval, count);
}

/** 0 or a negative libuv error. */
function applyTypeOfService(handle: ExposedHandle, tos: number | undefined): number {
  if (tos === undefined) return 0;
  return handle.setTypeOfService?.(tos) ?? 0;
}
