/**
 * Transfers a handle to another thread. The reactor keeps the handle under a number, and the message carries the number. A
 * message can be lost (the port has no receiver, the thread ends first), and the socket would stay open for ever. So each
 * message also carries a sentinel: a message port that Node closes along with a lost message. Its other end stays here, is
 * notified, and closes the handle unless it was received.
 */
import { closeUnreceived } from '../handle/binding.js';
import { ERR_WORKER_HANDLE_NOT_TRANSFERABLE, errnoException } from '../errors/errors.js';
import type { StreamHandle } from '../handle/stream.js';
import { Pipe } from '../handle/pipe.js';
import { TCP } from '../handle/tcp.js';
import { isForNewWorker } from './new-worker.js';
import { threads } from '../node/modules.js';
import { nextTick } from '../node/timers.js';
import type { MessagePort } from 'node:worker_threads';

/** What a message carries in place of a handle. */
export interface SentHandle {
  kind: 'TCP' | 'PIPE';
  transfer: number;
  /** `isShared` of the handle. */
  shared: boolean;
  sentinel: MessagePort;
}

interface Sentinel {
  sent: MessagePort;
  watched: MessagePort;
  isSent: boolean;
}

const sentinels = new WeakMap<object, Sentinel>();

/**
 * The sentinel of a message that is about to transfer `owner`. `what` is the name of its class, for the error.
 *
 * @throws Error ERR_WORKER_HANDLE_NOT_TRANSFERABLE for a message that is the `workerData` of a new worker
 */
export function sentinelFor(owner: object, what: string): MessagePort {
  // The worker could not deserialize its `workerData`, and would never start.
  if (isForNewWorker()) {
    const reason = 'a worker takes its workerData before it can load ferronet: send it by postMessage';
    throw new ERR_WORKER_HANDLE_NOT_TRANSFERABLE(what, reason);
  }
  const { MessageChannel } = threads();
  const { port1, port2 } = new MessageChannel();
  const sentinel: Sentinel = { sent: port1, watched: port2, isSent: false };
  sentinels.set(owner, sentinel);
  nextTick(() => {
    // Another value of the message could not be serialized, so nothing was sent.
    if (!sentinel.isSent) port1.close();
  });
  return port1;
}

/**
 * Detaches the handle of `owner`, for which `sentinelFor` was called, from this thread's reactor.
 *
 * @param unread bytes that were read and not consumed; the receiver reads them first
 * @param end whether the end of the stream was read behind them
 * @throws Error with syscall `transfer`; the handle is unchanged then
 */
export function sendHandle(
  owner: object,
  handle: StreamHandle,
  unread: readonly Uint8Array[],
  end: boolean,
): SentHandle {
  const sentinel = sentinels.get(owner) as Sentinel;
  const transfer = handle.beginTransfer(unread, end);
  if (transfer < 0) throw errnoException(transfer, 'transfer');
  sentinel.isSent = true;
  sentinel.watched.once('close', () => closeUnreceived(transfer)).unref();
  const kind = handle instanceof TCP ? 'TCP' : 'PIPE';
  return { kind, transfer, shared: handle.isShared, sentinel: sentinel.sent };
}

/**
 * A handle of this thread for one that another thread has sent.
 *
 * @throws Error with syscall `transfer`, if it cannot be received
 */
export function receiveHandle(
  { kind, transfer, shared, sentinel }: SentHandle,
  type: 'SOCKET' | 'SERVER',
): StreamHandle {
  const handle = kind === 'TCP' ? new TCP(TCP[type]) : new Pipe(Pipe[type]);
  const errno = handle.receiveTransfer(transfer);
  sentinel.close();
  if (errno >= 0) {
    if (shared) handle.share();
    return handle;
  }
  handle.close();
  throw errnoException(errno, 'transfer');
}
