// Both ends' addresses. Each is read from the handle once; the peer's stays readable after the handle has closed.
import type { AddressOut } from '../handle/tcp.js';
import type { SocketCore } from './state.js';

/** The address of a socket or a server. */
export interface AddressInfo {
  address: string;
  /** `IPv4` or `IPv6`. */
  family: string;
  port: number;
}

/** Empty for local sockets, and while there is no handle. */
export function localName(socket: SocketCore): AddressOut {
  const handle = socket._handle;
  if (!handle?.getsockname) return {};
  if (!socket._sockname) {
    socket._sockname = {};
    handle.getsockname(socket._sockname);
  }
  return socket._sockname;
}

export function peerName(socket: SocketCore): AddressOut {
  const handle = socket._handle;
  if (!handle?.getpeername || socket.connecting) return socket._peername ?? {};
  if (!socket._peername) {
    const name: AddressOut = {};
    if (handle.getpeername(name) < 0) return name;
    socket._peername = name;
  }
  return socket._peername;
}
