// `TCP`: a TCP socket or listener, under the name that Node gives its own, because programs look at `_handle`.
import { control, openTcp, reactor } from './dispatcher.js';
import { Operation } from './numbers.js';
import { TcpOptions } from './options.js';
import type { Req } from './request.js';
import { StreamHandle } from './stream.js';

/** Filled by `getsockname` and `getpeername`. */
export interface AddressOut {
  address?: string;
  family?: 'IPv4' | 'IPv6';
  port?: number;
}

function named(found: ReturnType<ReturnType<typeof reactor>['localAddress']>, out: AddressOut): number {
  if (typeof found === 'number') return found;
  out.address = found.address;
  out.family = found.family as 'IPv4' | 'IPv6';
  out.port = found.port;
  return 0;
}

/** The port that the system gets for a number, which may be any: its lowest 16 bits, as with libuv. */
export function systemPort(port: number): number {
  return port & 0xff_ff;
}

function typeOf(isServer: boolean): string {
  return isServer ? 'TCPSERVERWRAP' : 'TCPWRAP';
}

/** A TCP socket or listener. */
export class TCP extends StreamHandle {
  /** Options for the socket that this handle is going to open. */
  #early: TcpOptions | undefined;

  constructor(type: number = TCP.SOCKET, trigger?: number) {
    const isServer = type === TCP.SERVER;
    super(typeOf(isServer), isServer, trigger);
  }

  protected typeOf(isServer: boolean): string {
    return typeOf(isServer);
  }

  override get kind(): 'TCP' {
    return 'TCP';
  }

  protected override opened(answer: number): number {
    const status = super.opened(answer);
    if (status === 0) this.#early = undefined;
    return status;
  }

  /** A descriptor is open already, and gets the options now. A failure leaves the system's setting. */
  override open(fd: number): number {
    const early = this.#early;
    const status = super.open(fd);
    if (status === 0 && early) reactor().setOptions(this.id, early);
    return status;
  }

  protected client(): TCP {
    return new TCP(TCP.SOCKET, this.getAsyncId());
  }

  bind(address: string, port: number, flags = 0): number {
    return this.openOnce(() => reactor().bindTcp(address, systemPort(port), false, flags, this.#early));
  }

  bind6(address: string, port: number, flags = 0): number {
    return this.openOnce(() => reactor().bindTcp(address, systemPort(port), true, flags, this.#early));
  }

  /** Returns errors of the address or the route. `ECONNREFUSED` always goes to `req.oncomplete`. */
  connect(req: Req, address: string, port: number): number {
    return this.connectTo(req, address, port, false);
  }

  connect6(req: Req, address: string, port: number): number {
    return this.connectTo(req, address, port, true);
  }

  private connectTo(req: Req, address: string, port: number, ipv6: boolean): number {
    const open = (): number => openTcp(ipv6, this.#early);
    return this.connectWith(req, open, (id) => reactor().connectTcp(id, address, port, ipv6));
  }

  /** Fills `out` with the local address. */
  getsockname(out: AddressOut): number {
    return named(reactor().localAddress(this.openId()), out);
  }

  /** Fills `out` with the peer's address. */
  getpeername(out: AddressOut): number {
    return named(reactor().peerAddress(this.openId()), out);
  }

  setNoDelay(on: boolean): number {
    if (this.id >= 0) return control(Operation.SetNoDelay, this.id, Number(on));
    return this.setOption('noDelay', Boolean(on));
  }

  /**
   * Seconds, and a count of probes; 0 leaves the system's setting. With a delay the defaults are libuv's: an interval of
   * 1 s and 10 probes.
   */
  setKeepAlive(
    on: boolean,
    delay: number = 0,
    interval: number = delay > 0 ? 1 : 0,
    count: number = delay > 0 ? 10 : 0,
  ): number {
    if (this.id >= 0) return reactor().setKeepAlive(this.id, on, delay, interval, count);
    return this.setOption('keepAlive', { enable: on, idle: delay, interval, count });
  }

  setTypeOfService(tos: number): number {
    return this.setOption('typeOfService', tos);
  }

  private setOption<Name extends keyof TcpOptions>(name: Name, value: TcpOptions[Name]): number {
    const isOpen = this.id >= 0;
    const options = isOpen ? new TcpOptions() : (this.#early ??= new TcpOptions());
    options[name] = value;
    return isOpen ? reactor().setOptions(this.id, options) : 0;
  }

  /** The value, or a negative error. */
  getTypeOfService(): number {
    return reactor().typeOfService(this.id);
  }
}
