// Compares the typings that are shipped with the implementation: `npm run typecheck` compiles it, and it never runs. What is
// added to lib/ has to be added to index.d.ts, or to one of the lists here.
import net = require('../index.js');
import type { BlockList } from '../lib/address/block-list.js';
import type { ConnectOptions, TcpConnectOptions } from '../lib/connect/options.js';
import type { ListenOptions } from '../lib/server/listen-options.js';
import type { ServerOptions } from '../lib/server/options.js';
import type { BoundSocketOptions } from '../lib/stream/bound-socket.js';
import type { KeepAliveOptions } from '../lib/stream/keep-alive.js';
import type { SocketConstructorOptions } from '../lib/stream/options.js';
import type * as typings from './index.js';

declare function fits<Wanted>(given: Wanted): void;

/** The names that one type has and another lacks. Those with an underscore are internal. */
type Beyond<Given, Wanted> = Exclude<Extract<keyof Given, string>, keyof Wanted | `_${string}`>;

/**
 * Without the methods. Theirs return the object itself, so that one of them that differs makes all of them differ: they are
 * compared by name, and the suite, which is compiled against the typings, calls them.
 */
type Fields<All> = { [Name in keyof All as All[Name] extends (...args: never[]) => unknown ? never : Name]: All[Name] };

/** What may be missing, by the typings of Node as well, and is declared as if it were always there. */
type AlwaysThere = 'autoSelectFamilyAttemptedAddresses' | 'bufferSize';
/** The type of a server in the typings is no type that a socket could import. */
type ASocket = net.Socket & Pick<typings.FerronetSocket, AlwaysThere | 'server'>;
/** `connections` is gone since Node 9, and not from its typings. */
type AServer = net.Server & Pick<typings.FerronetServer, 'connections' | 'maxConnections'>;

fits<Fields<typings.FerronetSocket>>({} as ASocket);
fits<Fields<typings.FerronetServer>>({} as AServer);
fits<never>({} as Beyond<typings.FerronetSocket, ASocket>);
fits<never>({} as Beyond<typings.FerronetServer, AServer>);
fits<typings.FerronetBlockList>({} as InstanceType<typeof net.BlockList>);
fits<typings.FerronetBoundSocket>({} as InstanceType<typeof net.BoundSocket>);
fits<typings.SocketAddress>({} as InstanceType<typeof net.SocketAddress>);

// Fields of node:net that its typings do not have.
fits<'blockList'>({} as Beyond<net.Socket, typings.FerronetSocket>);
type Kept =
  | 'allowHalfOpen'
  | 'pauseOnConnect'
  | 'noDelay'
  | 'keepAlive'
  | 'keepAliveInitialDelay'
  | 'highWaterMark'
  | 'blockList';
fits<Kept>({} as Beyond<net.Server, typings.FerronetServer>);
fits<never>({} as Beyond<BlockList, typings.FerronetBlockList>);
fits<never>({} as Beyond<net.BoundSocket, typings.FerronetBoundSocket>);

// The names of the module, in both directions.
fits<never>({} as Beyond<typeof net, typeof typings>);
fits<never>({} as Beyond<typeof typings, typeof net>);

// Options: the implementation takes what the typings say, and takes nothing that they do not name.
fits<ServerOptions>({} as typings.ServerOpts);
fits<ListenOptions>({} as Omit<typings.ListenOptions, 'handle'>);
fits<SocketConstructorOptions>({} as Omit<typings.SocketConstructorOpts, 'handle'>);
fits<ConnectOptions>({} as typings.TcpSocketConnectOpts | typings.IpcSocketConnectOpts);
fits<ConnectOptions>({} as Omit<typings.TcpNetConnectOpts, 'handle'> | Omit<typings.IpcNetConnectOpts, 'handle'>);
fits<BoundSocketOptions>({} as typings.BoundSocketOptions);
fits<KeepAliveOptions>({} as typings.SetKeepAliveOptions);
fits<never>({} as Beyond<ServerOptions, typings.ServerOpts>);
fits<never>({} as Beyond<ListenOptions, typings.ListenOptions>);
fits<never>({} as Beyond<SocketConstructorOptions, typings.SocketConstructorOpts>);
fits<never>({} as Beyond<TcpConnectOptions, typings.TcpSocketConnectOpts>);
fits<never>({} as Beyond<BoundSocketOptions, typings.BoundSocketOptions>);
fits<never>({} as Beyond<KeepAliveOptions, typings.SetKeepAliveOptions>);
