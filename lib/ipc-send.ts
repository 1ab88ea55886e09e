// `subprocess.send(message, handle)` and `process.send` take sockets, servers and handles of ours. Node knows its own only,
// so it is given one of those over a second descriptor; the rest, from the queue to the counting of sockets by their
// server, is Node's. Everything else that is sent goes past this file.
//
// A connection goes when nothing of it is left here. What was written and what was read goes along to a process that has this
// package. For any other the send waits, in Node's own queue, until the kernel has what was written, and it is refused if
// bytes were read ahead.
import { Buffer } from 'node:buffer';

import type { Luggage } from './departure.js';
import { hold as holdLoop, reactor, release as releaseLoop } from './dispatcher.js';
import type { ForeignHandle } from './foreign-handle.js';
import { ERR_IPC_CHANNEL_CLOSED } from './errors.js';
import { StreamHandle } from './handle.js';
import type { Lists } from './ipc-account.js';
import {
  type Announcement,
  type InternalMessage,
  type IpcChannel,
  isOpen,
  type OtherEnd,
  type Piece,
  type SendArguments,
  type SendCallback,
  type SendOptions,
  sendPastQueue,
} from './ipc-channel.js';
import {
  duplicate,
  ForeignSocket,
  KeptSocket,
  LeavingSocket,
  ofHandle,
  PATIENCE,
  type StandIn,
  type Verdict,
} from './ipc-stand-in.js';
import { nodeServerHandleOf, nodeServerOf } from './node-handle.js';
import { Server } from './server.js';
import { kState } from './socket-state.js';
import { Socket } from './socket.js';
import { nextTick, startTimer } from './timers.js';

const SENDABLE: ReadonlySet<string> = new Set(['string', 'object', 'number', 'boolean']);

/** Bytes of what goes along that one message has: its base64 is no long string. */
const PIECE = 192 * 1024;

/** One of our objects, with what it is sent with. In Node's queue it stands where the handle does. */
class Parcel implements SendArguments {
  readonly handle: this = this;
  readonly standIn: StandIn;
  readonly message: unknown;
  readonly options: SendOptions;
  readonly callback: SendCallback | undefined;
  hasLeft = false;

  constructor(standIn: StandIn, message: unknown, options: SendOptions, callback: SendCallback | undefined) {
    this.standIn = standIn;
    this.message = message;
    this.options = options;
    this.callback = callback;
  }
}

function isOurs(given: unknown): boolean {
  return given instanceof Socket || given instanceof Server || given instanceof StreamHandle;
}

/** Channels to processes that do not take what goes along, or of which that is not known. */
const strangers = new Set<IpcChannel>();

/** Once connections go to such a process, threads leave to the kernel what JavaScript has not asked for. */
function setStranger(channel: IpcChannel, isStranger: boolean): void {
  const { size } = strangers;
  if (isStranger) strangers.add(channel);
  else strangers.delete(channel);
  for (const each of strangers) if (!isOpen(each)) strangers.delete(each);
  if ((size === 0) !== (strangers.size === 0)) reactor().setReadsAhead(strangers.size === 0);
}

/** A send that waits, and with it everything that is sent after it. */
interface Held {
  parcel: Parcel;
  timer: NodeJS.Timeout;
}

/** Makes `channel` take what is ours. */
export function sendOurs(channel: IpcChannel, other: OtherEnd): void {
  const send = channel._send;
  const lists: Lists = new Map();
  /** What Node has not said the end of; undefined as long as nothing of ours was sent. */
  let open: Set<Parcel> | undefined;
  let held: Held | undefined;

  const tell = (message: InternalMessage): void => sendPastQueue(channel, send, message);

  const ask = (): void => {
    other.questions += 1;
    tell({ cmd: 'NODE_HANDLE', type: 'net.Native', msg: null, ask: true });
  };

  /** Null for what has nothing open: Node sends the message alone then. */
  const standInFor = (given: unknown, options: SendOptions): StandIn | null => {
    if (given instanceof StreamHandle) {
      const handle = nodeServerHandleOf(duplicate(given));
      given.share();
      return ofHandle(handle, handle);
    }
    if (given instanceof Server) {
      // What a worker of a cluster is sent connections for is open in its primary only.
      if (!(given._handle instanceof StreamHandle)) return null;
      const handle = nodeServerHandleOf(duplicate(given._handle));
      given._handle.share();
      return ofHandle(handle, nodeServerOf(handle));
    }
    const handle = given instanceof Socket ? given[kState].handle : null;
    if (handle === null) return null;
    const keepOpen = typeof options === 'object' && options.keepOpen === true;
    if (!(handle instanceof StreamHandle)) {
      return new ForeignSocket(given as Socket, handle as ForeignHandle, keepOpen, lists);
    }
    return keepOpen
      ? new KeptSocket(given as Socket, handle, lists)
      : new LeavingSocket(given as Socket, handle, lists, other, ask);
  };

  const announce = (luggage: Luggage | null): void => {
    for (const of of ['unread', 'unsent'] as const) {
      for (const chunk of luggage?.[of] ?? []) {
        for (let at = 0; at < chunk.length; at += PIECE) {
          const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString(
            'base64',
            at,
            at + PIECE,
          );
          const piece: Piece = { cmd: 'NODE_FERRONET', of, bytes };
          tell(piece);
        }
      }
    }
    const announcement: Announcement = { cmd: 'NODE_FERRONET', next: true };
    if (luggage?.ends) announcement.ends = true;
    if (luggage && luggage.error < 0) announcement.error = luggage.error;
    if (other.kind !== 'ours') {
      announcement.ask = true;
      other.hasAsked = true;
    }
    tell(announcement);
  };

  /** Gives Node the parcel, whose time has come. Throws what Node throws, and then nothing has changed. */
  const depart = (parcel: Parcel): boolean => {
    const { standIn, message, options, callback } = parcel;
    const done: SendCallback = (error) => {
      open?.delete(parcel);
      standIn.close();
      if (typeof callback === 'function') callback(error);
      else if (error && !(typeof options === 'object' ? options.swallowErrors : options)) channel.emit('error', error);
    };
    let taken: boolean;
    announce(standIn.pack());
    try {
      taken = Reflect.apply(send, channel, [message, standIn.object, options, done]);
    } catch (error) {
      tell({ cmd: 'NODE_FERRONET', next: false });
      open?.delete(parcel);
      standIn.refused();
      throw error;
    }
    parcel.hasLeft = true;
    standIn.left();
    if (standIn instanceof LeavingSocket && other.kind !== 'ours') setStranger(channel, true);
    return taken;
  };

  /** What was sent stays here, if somebody hears of that. An error that nobody hears of is an event, as in Node. */
  const fail = (parcel: Parcel, error: Error): void => {
    open?.delete(parcel);
    const { callback, standIn } = parcel;
    const isHeard = typeof callback === 'function';
    if (!isHeard && standIn instanceof LeavingSocket) {
      standIn.dropped(isOpen(channel) ? error : undefined);
      return;
    }
    standIn.refused();
    if (isHeard) nextTick(callback, error);
    else if (isOpen(channel)) nextTick(() => channel.emit('error', error));
  };

  /** Sends the parcel, or has it wait. `isLater`: whoever has called `send()` does not hear of an exception. */
  const dispatch = (parcel: Parcel, verdict: Verdict, isLater: boolean): boolean => {
    if (verdict instanceof Error) {
      fail(parcel, verdict);
    } else if (verdict === 'waits' && channel._handleQueue === null) {
      hold(parcel);
    } else {
      try {
        return depart(parcel);
      } catch (error) {
        if (!isLater) throw error;
        fail(parcel, error as Error);
      }
    }
    return true;
  };

  // Node keeps what comes later until its queue of handles is none.
  const hold = (parcel: Parcel): void => {
    channel._handleQueue = [];
    let seconds = 0;
    // Of the time that JavaScript computes only a second counts.
    const timer = startTimer(() => {
      seconds += 1;
      const verdict = seconds < PATIENCE ? parcel.standIn.check() : parcel.standIn.late();
      if (verdict === 'waits') timer.refresh();
      else release(verdict);
    }, 1000);
    holdLoop();
    held = { parcel, timer };
    parcel.standIn.watch(look);
  };

  const look = (): void => {
    if (held === undefined) return;
    const verdict = held.parcel.standIn.check();
    if (verdict !== 'waits') release(verdict);
  };

  const release = (verdict: Verdict): void => {
    if (held === undefined) return;
    const { parcel, timer } = held;
    held = undefined;
    timer.close();
    releaseLoop();
    parcel.standIn.watch(null);
    const queue = channel._handleQueue ?? [];
    channel._handleQueue = null;
    dispatch(parcel, isOpen(channel) ? verdict : new ERR_IPC_CHANNEL_CLOSED(), true);
    // As Node goes on when a handle has arrived.
    for (const { message, handle, options, callback } of queue) {
      if (isOpen(channel)) channel._send(message, handle, options, callback);
      else if (handle instanceof Parcel) fail(handle, new ERR_IPC_CHANNEL_CLOSED());
      else if (typeof callback === 'function') nextTick(callback, new ERR_IPC_CHANNEL_CLOSED());
    }
    if (channel.connected || channel._handleQueue) return;
    if (channel.channel) channel._disconnect();
    // It has ended meanwhile, and Node has told nobody, for the sake of the queue.
    else nextTick(() => channel.emit('disconnect'));
  };

  other.onchange = () => {
    if (other.kind === 'ours') setStranger(channel, false);
    look();
  };

  // When the child ends, nobody tells of what is in the queue.
  const closedAtExit = (): Set<Parcel> => {
    const parcels = new Set<Parcel>();
    channel.once('exit', () => {
      release(new ERR_IPC_CHANNEL_CLOSED());
      for (const parcel of parcels) {
        if (parcel.hasLeft) parcel.standIn.close();
        else fail(parcel, new ERR_IPC_CHANNEL_CLOSED());
      }
      parcels.clear();
      setStranger(channel, false);
    });
    return parcels;
  };

  channel._send = function _send(message, handle, options, callback): boolean {
    if (handle instanceof Parcel) {
      return channel._handleQueue
        ? channel._handleQueue.push(handle) === 1
        : dispatch(handle, handle.standIn.check(), true);
    }
    // A wrong message is Node's to refuse, before anything has happened to what goes with it.
    const isSendable = message !== undefined && SENDABLE.has(typeof message);
    if (!isSendable || !isOurs(handle)) return Reflect.apply(send, this, [message, handle, options, callback]);
    const standIn = standInFor(handle, options);
    if (standIn === null) return Reflect.apply(send, this, [message, undefined, options, callback]);
    const parcel = new Parcel(standIn, message, options, callback);
    (open ??= closedAtExit()).add(parcel);
    if (channel._handleQueue) return channel._handleQueue.push(parcel) === 1;
    return dispatch(parcel, standIn.check(), false);
  };
}
