// `TCP`: a TCP socket or listener, under the name that Node gives its own, because programs look at `_handle`.
import { control, reactor } from './dispatcher.js';
import { Operation } from './numbers.js';
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

/** A TCP socket or listener. */
export class TCP extends StreamHandle {
  /** Options that were set while there was no socket yet. */
  #early: Map<string, () => number> | undefined;

  constructor(type: number = TCP.SOCKET, trigger?: number) {
    super(type === TCP.SERVER ? 'TCPSERVERWRAP' : 'TCPWRAP', trigger);
  }

  override get kind(): 'TCP' {
    return 'TCP';
  }

  /** Applies early options at once, so that they hold for the SYN. */
  protected override opened(answer: number): number {
    const status = super.opened(answer);
    if (status < 0) return status;
    // A failure leaves the system's setting, as it does for a connected socket.
    for (const set of this.#early?.values() ?? []) set();
    this.#early = undefined;
    return status;
  }

  private setOrRemember(name: string, set: () => number): number {
    if (this.id >= 0) return set();
    (this.#early ??= new Map()).set(name, set);
    return 0;
  }

  protected client(): TCP {
    return new TCP(TCP.SOCKET, this.getAsyncId());
  }

  bind(address: string, port: number, flags = 0): number {
    return this.openOnce(() => reactor().bindTcp(address, port, false, flags));
  }

  bind6(address: string, port: number, flags = 0): number {
    return this.openOnce(() => reactor().bindTcp(address, port, true, flags));
  }

  /** Returns errors of the address or the route. `ECONNREFUSED` always goes to `req.oncomplete`. */
  connect(req: Req, address: string, port: number): number {
    return this.connectTo(req, address, port, false);
  }

  connect6(req: Req, address: string, port: number): number {
    return this.connectTo(req, address, port, true);
  }

  private connectTo(req: Req, address: string, port: number, ipv6: boolean): number {
    const open = (): number => reactor().tcpSocket(ipv6);
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
    return this.setOrRemember('noDelay', () => control(Operation.SetNoDelay, this.id, Number(on)));
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
    return this.setOrRemember('keepAlive', () => reactor().setKeepAlive(this.id, on, delay, interval, count));
  }

  setTypeOfService(tos: number): number {
    return this.setOrRemember('typeOfService', () => reactor().setTypeOfService(this.id, tos));
  }

  /** The value, or a negative error. */
  getTypeOfService(): number {
    return reactor().typeOfService(this.id);
  }
}
