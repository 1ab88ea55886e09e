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
  /** What waits until the other process has said that it has the handle before. */
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

/** Node's own, of what comes with a handle. A receiver that finds none says so: `NODE_HANDLE_NACK`. */
export interface HandleMessage {
  cmd: 'NODE_HANDLE' | 'NODE_FERRONET_HANDLE';
  type: string;
  msg: unknown;
  key?: string;
  /** Ours: there is no handle. The other side is asked whether it has this package. */
  ask?: boolean;
}

/** That the next handle is, or is not, one of ours. */
export interface Announcement {
  cmd: 'NODE_FERRONET';
  next: boolean;
  /** The other side is asked whether it has this package. */
  ask?: boolean;
  /** Of a connection: what its read has ended with, a negative error, and whether FIN is to be sent. */
  error?: number;
  ends?: boolean;
}

/** A piece of what goes along with the next handle: bytes in base64. */
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
  | { cmd: 'NODE_FERRONET'; ours: true }
  | { cmd: 'NODE_CLUSTER'; ack: number; accepted: boolean }
  | { cmd: 'NODE_HANDLE_ACK' | 'NODE_HANDLE_NACK' | 'NODE_FERRONET_NACK' }
  | { cmd: 'NODE_SOCKET_GET_COUNT' | 'NODE_SOCKET_NOTIFY_CLOSE' | 'NODE_SOCKET_ALL_CLOSED'; key: string }
  | { cmd: 'NODE_SOCKET_COUNT'; key: string; count: number };

/** Whether something can be sent still, be it after a `disconnect()` that waits. */
export function isOpen(channel: IpcChannel): boolean {
  return channel.connected || Boolean(channel.channel);
}

/** Sends a message by `send`, a channel's own, past what waits in its queue. */
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

/** What is known of the process at the other end. */
export class OtherEnd {
  /** Whether it has this package, and so takes what goes along with a connection. */
  kind: 'unknown' | 'ours' | 'other' = 'unknown';
  /** Questions without a handle, which Node answers as well, behind us: by `NODE_HANDLE_NACK`. */
  questions = 0;
  /** An announcement has asked. Node's answer is the one to the handle that came with it. */
  hasAsked = false;
  /** Called when `kind` changes. */
  onchange: (() => void) | null = null;

  become(kind: 'ours' | 'other'): void {
    if (this.kind === kind) return;
    this.kind = kind;
    this.onchange?.();
  }

  /** Node has answered what was asked, and we have not. */
  becomeOther(): void {
    if (this.kind === 'unknown') this.become('other');
  }
}
