// The events of sockets and servers, with the arguments of their listeners.
import type { Duplex } from 'node:stream';

/** The listener of an event that is not listed here. */
export type AnyListener = Parameters<Duplex['on']>[1];

/** The argument of a TCP server's `drop` event: the connection that it has closed. */
export interface DroppedConnection {
  localAddress?: string;
  localPort?: number;
  localFamily?: string;
  remoteAddress?: string;
  remotePort?: number;
  remoteFamily?: string;
}

export interface SocketEvents {
  /** The socket is fully closed. `hadError`: because of an error. */
  close: [hadError: boolean];
  /** The connection is established. */
  connect: [];
  /** An address is being tried. For a local path only `ip` is given, and is the path. */
  connectionAttempt: [ip: string, port: number, family: number];
  connectionAttemptFailed: [ip: string, port: number, family: number, error: Error];
  /** An address took too long; the next one is tried. */
  connectionAttemptTimeout: [ip: string, port: number, family: number];
  data: [data: Buffer];
  /** The write buffer is empty again. */
  drain: [];
  /** The other side has sent FIN. */
  end: [];
  error: [error: Error];
  /** All writes and the FIN behind them have been handed to the kernel. */
  finish: [];
  /** A name was resolved, or resolving failed. Once for each address that will be tried. */
  lookup: [error: Error | null, address: string, family: number | null, host: string];
  pause: [];
  readable: [];
  /** Right after `connect`. */
  ready: [];
  resume: [];
  /** No activity for the time given to `setTimeout`. */
  timeout: [];
}

export interface ServerEvents<Accepted> {
  /** The server listens no more and all its connections have ended. */
  close: [];
  connection: [socket: Accepted];
  /** A connection was closed because there are `maxConnections`. No argument for local ones. */
  drop: [data?: DroppedConnection];
  error: [error: Error];
  listening: [];
}
