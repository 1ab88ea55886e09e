// The IPC channel between a process and its child: a `ChildProcess` at one end, `process` at the other.
import type { EventEmitter } from 'node:events';

/** Whether errors are ignored, and whether the sender keeps the socket. A boolean is `swallowErrors`. */
export type SendOptions = { swallowErrors?: boolean; keepOpen?: boolean } | boolean | undefined;

export type SendCallback = (error: Error | null) => void;

/** The arguments of `send()`. */
export interface SendArguments {
  message: unknown;
  handle: unknown;
  options: SendOptions;
  callback: SendCallback | undefined;
}

export interface IpcChannel extends EventEmitter {
  readonly connected: boolean;
  /** Null when the channel has closed. */
  readonly channel?: object | null;
  /** Sends that wait until the other process has acknowledged the last handle. */
  _handleQueue?: SendArguments[] | null;
  /** Called by `send()`. */
  _send(this: IpcChannel, message: unknown, handle?: unknown, options?: SendOptions, callback?: SendCallback): boolean;
  /** Closes the channel: the rest of a `disconnect()` that had to wait for the queue. */
  _disconnect(): void;
}

/** The message with which the primary of a cluster sends a connection to a worker. */
export interface NewConnection {
  cmd: 'NODE_CLUSTER';
  act: 'newconn';
  /** Key of the server. */
  key: string;
  /** Sequence number of the message, repeated in its answer. */
  seq: number;
}

/** Node's message that comes with a handle. A receiver without the handle answers `NODE_HANDLE_NACK`. */
export interface HandleMessage {
  cmd: 'NODE_HANDLE' | 'NODE_FERRONET_HANDLE';
  type: string;
  msg: unknown;
  key?: string;
  /** Sent without a handle, to learn whether the receiver has loaded ferronet. */
  ask?: boolean;
}

/** Says whether the next handle comes from ferronet. */
export interface Announcement {
  cmd: 'NODE_FERRONET';
  next: boolean;
  /** The receiver answers if it has loaded ferronet. */
  ask?: boolean;
  /** The error that ended reading: a negative libuv error. */
  error?: number;
  /** The receiver has to send FIN. */
  ends?: boolean;
}

/** Unread or unsent bytes of the next handle, in base64. */
export interface Piece {
  cmd: 'NODE_FERRONET';
  of: 'unread' | 'unsent';
  bytes: string;
}

/**
 * Internal messages, which programs do not see. Node's own: `NODE_HANDLE` comes with a handle and is answered by
 * `NODE_HANDLE_ACK` or `NODE_HANDLE_NACK`; `NODE_SOCKET_…` counts the sockets that a server has sent; with `NODE_CLUSTER`
 * the primary sends connections to a worker, which answers whether it accepts them. `NODE_FERRONET` is ferronet's; a process
 * without ferronet ignores it.
 */
export type InternalMessage =
  | NewConnection
  | HandleMessage
  | Announcement
  | Piece
  | { cmd: 'NODE_FERRONET'; loaded: true }
  | { cmd: 'NODE_CLUSTER'; ack: number; accepted: boolean }
  | { cmd: 'NODE_HANDLE_ACK' | 'NODE_HANDLE_NACK' | 'NODE_FERRONET_NACK' }
  | { cmd: 'NODE_SOCKET_GET_COUNT' | 'NODE_SOCKET_NOTIFY_CLOSE' | 'NODE_SOCKET_ALL_CLOSED'; key: string }
  | { cmd: 'NODE_SOCKET_COUNT'; key: string; count: number };

/** Whether messages can still be sent, even after a `disconnect()` that waits for Node's queue. */
export function isOpen(channel: IpcChannel): boolean {
  return channel.connected || Boolean(channel.channel);
}

/** Sends a message by `send`, the channel's original method, ahead of Node's queue. */
export function sendPastQueue(channel: IpcChannel, send: IpcChannel['_send'], message: InternalMessage): void {
  if (!isOpen(channel)) return;
  const { _handleQueue: queue } = channel;
  if (queue) channel._handleQueue = null;
  try {
    Reflect.apply(send, channel, [message, undefined, true]);
  } finally {
    if (queue) channel._handleQueue = queue;
  }
}

/** The process at the other end of a channel. */
export class PeerProcess {
  /** `ferronet`: it has loaded ferronet, and accepts the bytes that are sent along with a connection. */
  kind: 'unknown' | 'ferronet' | 'node' = 'unknown';
  /** Unanswered probes: `NODE_HANDLE` without a handle. Node answers each by `NODE_HANDLE_NACK`, after ferronet. */
  probes = 0;
  /** An announcement has asked. Node answers to the handle behind it. */
  isAsked = false;
  /** Called when `kind` has changed. */
  onchange: (() => void) | null = null;

  become(kind: 'ferronet' | 'node'): void {
    if (this.kind === kind) return;
    this.kind = kind;
    this.onchange?.();
  }

  /** Node has answered. If ferronet has not done so before, the process does not have it. */
  answeredByNode(): void {
    if (this.kind === 'unknown') this.become('node');
  }
}
