// The channel between a process and its child, as both ends have it: a `ChildProcess`, or `process`.
import type { EventEmitter } from 'node:events';

/** Whether a failure is nobody's business, and whether the sender keeps the socket. A boolean is the first of both. */
export type SendOptions = { swallowErrors?: boolean; keepOpen?: boolean } | boolean | undefined;

export type SendCallback = (error: Error | null) => void;

export interface IpcChannel extends EventEmitter {
  readonly connected: boolean;
  /** What waits until the other process has said that it has the handle before. */
  _handleQueue?: readonly unknown[] | null;
  /** What `send()` stands on. */
  _send(this: IpcChannel, message: unknown, handle?: unknown, options?: SendOptions, callback?: SendCallback): boolean;
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

/**
 * The messages that have a meaning below those of the program. Node's own: `NODE_HANDLE` comes with a handle,
 * `NODE_SOCKET_…` counts what a server has sent away, by `NODE_CLUSTER` a worker is sent connections and answers whether it
 * takes them. `NODE_FERRONET` announces that the next handle is one of ours;
 * whoever does not know it passes over it.
 */
export type InternalMessage =
  | NewConnection
  | { cmd: 'NODE_CLUSTER'; ack: number; accepted: boolean }
  | { cmd: 'NODE_FERRONET'; next: boolean }
  | { cmd: 'NODE_HANDLE' | 'NODE_FERRONET_HANDLE'; type: string; msg: unknown; key?: string }
  | { cmd: 'NODE_SOCKET_GET_COUNT' | 'NODE_SOCKET_NOTIFY_CLOSE' | 'NODE_SOCKET_ALL_CLOSED'; key: string }
  | { cmd: 'NODE_SOCKET_COUNT'; key: string; count: number };
