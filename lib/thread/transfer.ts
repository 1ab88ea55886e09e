/**
 * A handle on its way to another thread. The reactor has it under a number, and the message carries the number; so the
 * message might be lost (nobody takes it, the thread ends first), and the socket would stay open for ever. A message port
 * goes along: when it is closed, which Node does with the ports in a message that is lost, its other end here says so, and
 * what nobody has received is closed.
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

/** What stands in a message for a handle. */
export interface SentHandle {
  kind: 'TCP' | 'PIPE';
  transfer: number;
  /** Whether another owner uses the socket as well. */
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
 * What goes along with `owner`, if it goes. `what` is the name of its class.
 *
 * @throws Error ERR_WORKER_HANDLE_NOT_TRANSFERABLE when it is to go into `workerData`
 */
export function sentinelFor(owner: object, what: string): MessagePort {
  // It could not deserialize its `workerData`, and would never start.
  if (isForNewWorker()) {
    const reason = 'a worker takes its workerData before it can load ferronet: send it by postMessage';
    throw new ERR_WORKER_HANDLE_NOT_TRANSFERABLE(what, reason);
  }
  const { MessageChannel } = threads();
  const { port1, port2 } = new MessageChannel();
  const sentinel: Sentinel = { sent: port1, watched: port2, isSent: false };
  sentinels.set(owner, sentinel);
  nextTick(() => {
    // The message could not be sent, for the sake of something else in it.
    if (!sentinel.isSent) port1.close();
  });
  return port1;
}

/**
 * Hands the handle of `owner` over, whose sentinel was asked for. `unread`: what was read and goes back, `end`: and the end
 * behind it.
 *
 * @throws Error with syscall `transfer`; the handle is what it was then
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
 * A handle of this thread for what another one has sent.
 *
 * @throws Error with syscall `transfer`, if it can't be had
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
