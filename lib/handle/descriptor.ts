// Handles of descriptors that this process has open.
import { ERR_INVALID_FD_TYPE, errnoException } from '../errors/errors.js';
import { validateInt32 } from '../errors/validators.js';
import { guessHandleType } from './binding.js';
import { InheritedPipe } from './inherited-pipe.js';
import { Pipe } from './pipe.js';
import type { StreamHandle } from './stream.js';
import { TCP } from './tcp.js';

/**
 * A handle of the type that the descriptor has. It does not open the descriptor yet.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_FD_TYPE, RangeError ERR_OUT_OF_RANGE
 */
export function createHandle(fd: number, forServer: boolean): StreamHandle {
  validateInt32(fd, 'fd', 0);
  const type = guessHandleType(fd);
  if (type === 'PIPE') return new Pipe(forServer ? Pipe.SERVER : Pipe.SOCKET);
  if (type === 'TCP') return new TCP(forServer ? TCP.SERVER : TCP.SOCKET);
  throw new ERR_INVALID_FD_TYPE(type);
}

/**
 * A socket's handle of a descriptor, which it closes.
 *
 * @throws as `createHandle`; Error with syscall `open`
 */
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
