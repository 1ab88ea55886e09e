// The options of a TCP socket.

/** Keep-alive probes. 0 leaves what the system has. */
export interface KeepAlive {
  enable: boolean;
  /** Seconds without traffic before the first probe, as the kernel counts them. */
  idle: number;
  /** Seconds between two probes. `undefined` for the handle's default. */
  interval: number | undefined;
  /** Unanswered probes that end the connection. `undefined` for the handle's default. */
  count: number | undefined;
}

/**
 * Options to be set on a socket; `undefined` leaves what the system has. Before there is one they are collected: the reactor
 * sets them when it has opened the socket, before it binds or connects it.
 *
 * All fields are own ones, whatever a program adds to `Object.prototype`: the addon reads them by their names.
 */
export class TcpOptions {
  /** `TCP_NODELAY`. */
  noDelay: boolean | undefined = undefined;
  keepAlive: Readonly<KeepAlive> | undefined = undefined;
  /** `IP_TOS` or `IPV6_TCLASS`, 0 to 255. */
  typeOfService: number | undefined = undefined;
}

/** Shared by all sockets of which nothing was asked. */
export const NO_OPTIONS: Readonly<TcpOptions> = new TcpOptions();
