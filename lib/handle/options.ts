// The options of a TCP socket, as they cross to the reactor.

/** Keep-alive probes. Seconds, and a count of probes; 0 leaves what the system has. */
export interface KeepAliveProbes {
  enable: boolean;
  idle: number;
  interval: number;
  count: number;
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
  keepAlive: KeepAliveProbes | undefined = undefined;
  /** `IP_TOS` or `IPV6_TCLASS`, 0 to 255. */
  typeOfService: number | undefined = undefined;
}
