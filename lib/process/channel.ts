// The channel between a process and its child, as both ends have it: a `ChildProcess`, or `process`.
import type { EventEmitter } from 'node:events';

/** Whether a failure is nobody's business, and whether the sender keeps the socket. A boolean is the first of both. */
export type SendOptions = { swallowErrors?: boolean; keepOpen?: boolean } | boolean | undefined;

export type SendCallback = (error: Error | null) => void;

/** What was given to `send()`. */
export interface SendArguments {
  message: unknown;
  handle: unknown;
  options: SendOptions;
  callback: SendCallback | undefined;
}

export interface IpcChannel extends EventEmitter {
  readonly connected: boolean;
  /** Null when nothing can be sent any more. */
  readonly channel?: object | null;
  /** What is queued until the other process has acknowledged the last handle. */
  _handleQueue?: SendArguments[] | null;
  /** What `send()` stands on. */
  _send(this: IpcChannel, message: unknown, handle?: unknown, options?: SendOptions, callback?: SendCallback): boolean;
  /** Closes it. For `disconnect()` while something waited. */
  _disconnect(): void;
}

/** The primary of a cluster sends a worker a connection. */
export interface NewConnection {
  cmd: 'NODE_CLUSTER';
  act: 'newconn';
  /** Of the server. */
  key: string;
  /** Of the message, for its answer. */
  seq: number;
}

/** Node's message that comes with a handle. A receiver without the handle answers `NODE_HANDLE_NACK`. */
export interface HandleMessage {
  cmd: 'NODE_HANDLE' | 'NODE_FERRONET_HANDLE';
  type: string;
  msg: unknown;
  key?: string;
  /** Sent without a handle, to learn whether the receiver has this package. */
  ask?: boolean;
}

/** Whether the next handle is one of this package. */
export interface Announcement {
  cmd: 'NODE_FERRONET';
  next: boolean;
  /** The receiver answers if it has this package. */
  ask?: boolean;
  /** What reading the connection ended with: a negative libuv error. */
  error?: number;
  /** FIN is to be sent on the connection. */
  ends?: boolean;
}

/** Unread or unsent bytes of the next handle, in base64. */
export interface Piece {
  cmd: 'NODE_FERRONET';
  of: 'unread' | 'unsent';
  bytes: string;
}

/**
 * The messages that have a meaning below those of the program. Node's own: `NODE_HANDLE` comes with a handle, and is answered
 * by `NODE_HANDLE_ACK` or `NODE_HANDLE_NACK`; `NODE_SOCKET_…` counts what a server has sent away, by `NODE_CLUSTER` a worker
 * is sent connections and answers whether it takes them. `NODE_FERRONET` is ours; whoever does not know it passes over it.
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

/** Whether messages can be sent, also behind a `disconnect()` that waits for Node's queue. */
export function isOpen(channel: IpcChannel): boolean {
  return channel.connected || Boolean(channel.channel);
}

/** Sends a message by `send`, the channel's own method, before everything that is queued. */
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
  /** `ours`: it has this package, and accepts what is sent along with a connection. */
  kind: 'unknown' | 'ferronet' | 'node' = 'unknown';
  /** How many messages without a handle have asked. Node answers them as well, after this package: `NODE_HANDLE_NACK`. */
  probes = 0;
  /** An announcement has asked. Node's answer is that to the handle behind it. */
  isAsked = false;
  /** Called when `kind` has changed. */
  onchange: (() => void) | null = null;

  become(kind: 'ferronet' | 'node'): void {
    if (this.kind === kind) return;
    this.kind = kind;
    this.onchange?.();
  }

  /** Node has answered, and this package has not before. */
  answeredByNode(): void {
    if (this.kind === 'unknown') this.become('node');
  }
}
