// The events of sockets and servers, with what their listeners are given.
import type { Duplex } from 'node:stream';

/** The listener of an event that is not listed here. */
export type AnyListener = Parameters<Duplex['on']>[1];

/** What the `drop` event of a TCP server tells of the connection it did not take. */
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
  /** The connection is there. */
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
  /** Everything written and the FIN behind it have been handed over. */
  finish: [];
  /** A name was resolved, or was not. Once for each address that will be tried. */
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
  /** A connection was not taken because there are `maxConnections`. Nothing is told of local ones. */
  drop: [data?: DroppedConnection];
  error: [error: Error];
  listening: [];
}
