// What only the newest typings of Node have: types and values fit in both directions.
import * as nodeNet from 'node:net';
import * as net from 'ferronet';

declare function fits<Wanted>(given: Wanted): void;
declare const ours: { bound: net.BoundSocket; bind: net.BoundSocketOptions; keep: net.SetKeepAliveOptions };
declare const nodes: {
  bound: nodeNet.BoundSocket;
  bind: nodeNet.BoundSocketOptions;
  keep: nodeNet.SetKeepAliveOptions;
};

fits<nodeNet.BoundSocket>(ours.bound);
fits<net.BoundSocket>(nodes.bound);
fits<nodeNet.BoundSocketOptions>(ours.bind);
fits<net.BoundSocketOptions>(nodes.bind);
fits<nodeNet.SetKeepAliveOptions>(ours.keep);
fits<net.SetKeepAliveOptions>(nodes.keep);
fits<typeof nodeNet.BoundSocket>(net.BoundSocket);
fits<keyof net.SocketEventMap>({} as keyof nodeNet.SocketEventMap);
fits<keyof net.ServerEventMap>({} as keyof nodeNet.ServerEventMap);
fits<nodeNet.ServerEventMap>({} as net.ServerEventMap);
fits<net.ServerEventMap>({} as nodeNet.ServerEventMap);
new net.Socket({ handle: new nodeNet.BoundSocket(), typeOfService: 1 }).setKeepAlive({ enable: true });
new nodeNet.Socket({ handle: new net.BoundSocket() });
const server: net.Server | null = net.connect(80).server;
console.log(server);
