// The names of types that the typings of node:net have in each version, and what each is used for.
import type {
  AddressInfo,
  BlockList,
  DropArgument,
  IPVersion,
  IpcNetConnectOpts,
  IpcSocketConnectOpts,
  ListenOptions,
  LookupFunction,
  NetConnectOpts,
  OnReadOpts,
  Server,
  ServerOpts,
  Socket,
  SocketAddress,
  SocketAddressInitOptions,
  SocketConnectOpts,
  SocketConstructorOpts,
  SocketReadyState,
  TcpNetConnectOpts,
  TcpSocketConnectOpts,
} from 'ferronet';
import * as net from 'ferronet';

const version: IPVersion = 'ipv6';
const init: SocketAddressInitOptions = { address: '::1', family: version, port: 80, flowlabel: 0 };
const address: SocketAddress = new net.SocketAddress(init);
const list: BlockList = new net.BlockList();
list.addAddress(address);
list.addSubnet('10.0.0.0', 8, 'ipv4');
console.log(list.check(address), list.rules.length, address.port.toFixed());
const onread: OnReadOpts = { buffer: new Uint8Array(9), callback: (count) => count > 0 };
const constructed: SocketConstructorOpts = { allowHalfOpen: true };
const lookup: LookupFunction = (_host, _options, callback) => callback(null, '127.0.0.1', 4);
const tcpTarget: TcpSocketConnectOpts = { port: 80, lookup };
const localTarget: IpcSocketConnectOpts = { path: '/tmp/x' };
const tcp: TcpNetConnectOpts = { ...tcpTarget, ...constructed, onread, timeout: 5 };
const local: IpcNetConnectOpts = { ...localTarget, timeout: 5 };
const any: NetConnectOpts[] = [tcp, local];
const targets: SocketConnectOpts[] = [tcpTarget, localTarget];
for (const each of any) net.connect(each);
for (const each of targets) new net.Socket(constructed).connect(each);
const listening: ListenOptions = { port: 0 };
const options: ServerOpts = { pauseOnConnect: true, keepAlive: true, keepAliveInitialDelay: 1000 };
const dropped = (data?: DropArgument): string | undefined => data?.remoteAddress;
const server: Server = new net.Server(options).listen(listening).on('drop', dropped);
const info = server.address() as AddressInfo;
const state = (socket: Socket): SocketReadyState => socket.readyState;
console.log(info.port, state(new net.Socket()));
const number: number = net.isIP('::1');
const yes: boolean = net.isIPv4('1.2.3.4') && net.isIPv6('::1') && net.getDefaultAutoSelectFamily();
net.setDefaultAutoSelectFamily(yes);
net.setDefaultAutoSelectFamilyAttemptTimeout(net.getDefaultAutoSelectFamilyAttemptTimeout() + number);

// @ts-expect-error no version of IP
export const other: IPVersion = 'ipv5';
