// Makes `subprocess.send(message, handle)` and `process.send` accept ferronet's sockets, servers and handles. Node sends only
// its own, so one of Node's is made over a duplicate of the descriptor (sendable.ts). Queue, acknowledgements and the
// counting of a server's sockets stay Node's. Other messages are passed on.
//
// A connection is sent when none of its bytes are left in this process. To a process that has loaded ferronet, unread and
// unsent bytes are sent along. To any other process the send waits, in Node's queue, until the kernel has taken all writes,
// and fails if bytes were read ahead.
import { Buffer } from 'node:buffer';

import type { InFlight } from './detached-connection.js';
import { refLoop, reactor, unrefLoop } from '../handle/dispatcher.js';
import { ERR_IPC_CHANNEL_CLOSED } from '../errors/errors.js';
import type { ForeignHandle } from '../handle/foreign.js';
import { StreamHandle } from '../handle/stream.js';
import type { SocketLists } from './server-proxy.js';
import {
  type Announcement,
  type InternalMessage,
  type IpcChannel,
  isOpen,
  type PeerProcess,
  type SendArguments,
  type SendCallback,
  type SendOptions,
  sendPastQueue,
} from './channel.js';
import {
  duplicate,
  ForeignSocket,
  SharedSocket,
  MovedSocket,
  type Readiness,
  type Sendable,
  sendableHandle,
  TIMEOUT,
} from './sendable.js';
import { nodeServerHandleOf, nodeServerOf } from '../server/node-handle.js';
import { Server } from '../server/server.js';
import { kState } from '../stream/state.js';
import { Socket } from '../socket/socket.js';
import { nextTick, startTimer } from '../node/timers.js';

const SENDABLE: ReadonlySet<string> = new Set(['string', 'object', 'number', 'boolean']);

/** The most bytes in one message with unread or unsent bytes. */
const PIECE = 192 * 1024;

/** A call of `send()` with a ferronet object. In Node's queue it takes the place of the handle. */
class QueuedSend implements SendArguments {
  readonly handle: this = this;
  readonly sendable: Sendable;
  readonly message: unknown;
  readonly options: SendOptions;
  readonly callback: SendCallback | undefined;
  isSent = false;

  constructor(sendable: Sendable, message: unknown, options: SendOptions, callback: SendCallback | undefined) {
    this.sendable = sendable;
    this.message = message;
    this.options = options;
    this.callback = callback;
  }
}

function isFerronetHandle(given: unknown): boolean {
  return given instanceof Socket || given instanceof Server || given instanceof StreamHandle;
}

/** Channels over which connections were sent to a process that has not loaded ferronet, as far as known. */
const withoutPackage = new Set<IpcChannel>();

/** While there is such a channel, threads do not read ahead: the bytes could not be sent along. */
function noteReceiver(channel: IpcChannel, hasPackage: boolean): void {
  const { size } = withoutPackage;
  if (hasPackage) withoutPackage.delete(channel);
  else withoutPackage.add(channel);
  for (const each of withoutPackage) if (!isOpen(each)) withoutPackage.delete(each);
  if ((size === 0) !== (withoutPackage.size === 0)) reactor().setReadsAhead(withoutPackage.size === 0);
}

/** Makes `channel` accept ferronet's sockets, servers and handles. */
export function attachSender(channel: IpcChannel, peer: PeerProcess): void {
  const send = channel._send;
  const lists: SocketLists = new Map();
  /** Calls that have not completed; undefined until the first one. */
  let open: Set<QueuedSend> | undefined;
  /** A call that is not ready yet. Node queues all later ones. */
  let suspended: { call: QueuedSend; timer: NodeJS.Timeout } | undefined;

  const post = (message: InternalMessage): void => sendPastQueue(channel, send, message);

  const probe = (): void => {
    peer.probes += 1;
    post({ cmd: 'NODE_HANDLE', type: 'net.Native', msg: null, ask: true });
  };

  /** Null for an object without a descriptor: Node sends the message alone then. */
  const sendableOf = (given: unknown, options: SendOptions): Sendable | null => {
    if (given instanceof StreamHandle) {
      const handle = nodeServerHandleOf(duplicate(given));
      given.share();
      return sendableHandle(handle, handle);
    }
    if (given instanceof Server) {
      // The listening socket of a cluster's worker may be open in its primary only.
      if (!(given._handle instanceof StreamHandle)) return null;
      const handle = nodeServerHandleOf(duplicate(given._handle));
      given._handle.share();
      return sendableHandle(handle, nodeServerOf(handle));
    }
    const socket = given as Socket;
    const { handle } = socket[kState];
    if (handle === null) return null;
    const keepOpen = typeof options === 'object' && options.keepOpen === true;
    if (!(handle instanceof StreamHandle)) return new ForeignSocket(socket, handle as ForeignHandle, keepOpen, lists);
    return keepOpen ? new SharedSocket(socket, handle, lists) : new MovedSocket(socket, handle, lists, peer, probe);
  };

  const postPieces = (of: 'unread' | 'unsent', chunks: readonly Uint8Array[]): void => {
    for (const chunk of chunks) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      for (let at = 0; at < bytes.length; at += PIECE) {
        post({ cmd: 'NODE_FERRONET', of, bytes: bytes.toString('base64', at, at + PIECE) });
      }
    }
  };

  const announce = (inFlight: InFlight | null): void => {
    const announcement: Announcement = { cmd: 'NODE_FERRONET', next: true };
    if (inFlight !== null) {
      postPieces('unread', inFlight.unread);
      postPieces('unsent', inFlight.unsent);
      if (inFlight.ends) announcement.ends = true;
      if (inFlight.readError < 0) announcement.error = inFlight.readError;
    }
    if (peer.kind !== 'ferronet') {
      announcement.ask = true;
      peer.isAsked = true;
    }
    post(announcement);
  };

  /** Writes a call that is ready to the channel. If Node throws, nothing has changed. */
  const write = (call: QueuedSend): boolean => {
    const { sendable, message, options, callback } = call;
    const done: SendCallback = (error) => {
      open?.delete(call);
      sendable.close();
      if (typeof callback === 'function') callback(error);
      else if (error && !(typeof options === 'object' ? options.swallowErrors : options)) channel.emit('error', error);
    };
    let answer: boolean;
    announce(sendable.takeInFlight());
    try {
      answer = Reflect.apply(send, channel, [message, sendable.object, options, done]);
    } catch (error) {
      post({ cmd: 'NODE_FERRONET', next: false });
      open?.delete(call);
      sendable.restore();
      throw error;
    }
    call.isSent = true;
    sendable.sent();
    if (sendable instanceof MovedSocket) noteReceiver(channel, peer.kind === 'ferronet');
    return answer;
  };

  /** Without a callback, the error destroys a moved socket, or is emitted by the channel as in Node. */
  const fail = (call: QueuedSend, error: Error): void => {
    open?.delete(call);
    const { callback, sendable } = call;
    const hasCallback = typeof callback === 'function';
    if (!hasCallback && sendable instanceof MovedSocket) {
      sendable.abandon(isOpen(channel) ? error : undefined);
      return;
    }
    sendable.restore();
    if (hasCallback) nextTick(callback, error);
    else if (isOpen(channel)) nextTick(() => channel.emit('error', error));
  };

  /** `isDeferred`: `send()` has returned, so its caller cannot catch an exception. */
  const dispatch = (call: QueuedSend, readiness: Readiness, isDeferred: boolean): boolean => {
    if (readiness instanceof Error) {
      fail(call, readiness);
    } else if (readiness === 'pending' && channel._handleQueue === null) {
      suspend(call);
    } else {
      try {
        return write(call);
      } catch (error) {
        if (!isDeferred) throw error;
        fail(call, error as Error);
      }
    }
    return true;
  };

  const suspend = (call: QueuedSend): void => {
    // Node queues later sends while this array exists.
    channel._handleQueue = [];
    let seconds = 0;
    // Counted in ticks of a second: however long JavaScript blocks, at most one second counts.
    const timer = startTimer(() => {
      seconds += 1;
      const readiness = seconds < TIMEOUT ? call.sendable.readiness() : call.sendable.timedOut();
      if (readiness === 'pending') timer.refresh();
      else resume(readiness);
    }, 1000);
    refLoop();
    suspended = { call, timer };
    call.sendable.watch(recheck);
  };

  const recheck = (): void => {
    if (suspended === undefined) return;
    const readiness = suspended.call.sendable.readiness();
    if (readiness !== 'pending') resume(readiness);
  };

  const resume = (readiness: Readiness): void => {
    if (suspended === undefined) return;
    const { call, timer } = suspended;
    suspended = undefined;
    timer.close();
    unrefLoop();
    call.sendable.watch(null);
    const queue = channel._handleQueue ?? [];
    channel._handleQueue = null;
    dispatch(call, isOpen(channel) ? readiness : new ERR_IPC_CHANNEL_CLOSED(), true);
    // As Node does after an acknowledgement.
    for (const { message, handle, options, callback } of queue) {
      if (isOpen(channel)) channel._send(message, handle, options, callback);
      else if (handle instanceof QueuedSend) fail(handle, new ERR_IPC_CHANNEL_CLOSED());
      else if (typeof callback === 'function') nextTick(callback, new ERR_IPC_CHANNEL_CLOSED());
    }
    if (channel.connected || channel._handleQueue) return;
    if (channel.channel) channel._disconnect();
    // The channel has ended meanwhile, and Node has not emitted this because of the queue.
    else nextTick(() => channel.emit('disconnect'));
  };

  peer.onchange = () => {
    if (peer.kind === 'ferronet') noteReceiver(channel, true);
    recheck();
  };

  // Node does not complete queued sends when the child exits.
  const openUntilExit = (): Set<QueuedSend> => {
    const calls = new Set<QueuedSend>();
    channel.once('exit', () => {
      resume(new ERR_IPC_CHANNEL_CLOSED());
      for (const call of calls) {
        if (call.isSent) call.sendable.close();
        else fail(call, new ERR_IPC_CHANNEL_CLOSED());
      }
      calls.clear();
      noteReceiver(channel, true);
    });
    return calls;
  };

  channel._send = function _send(message, handle, options, callback): boolean {
    let call = handle;
    if (!(call instanceof QueuedSend)) {
      // Node rejects an invalid message. The handle must be untouched then.
      const isSendable = message !== undefined && SENDABLE.has(typeof message);
      if (!isSendable || !isFerronetHandle(handle))
        return Reflect.apply(send, this, [message, handle, options, callback]);
      const sendable = sendableOf(handle, options);
      if (sendable === null) return Reflect.apply(send, this, [message, undefined, options, callback]);
      call = new QueuedSend(sendable, message, options, callback);
      (open ??= openUntilExit()).add(call as QueuedSend);
    }
    const queued = call as QueuedSend;
    if (channel._handleQueue) return channel._handleQueue.push(queued) === 1;
    return dispatch(queued, queued.sendable.readiness(), call === handle);
  };
}
