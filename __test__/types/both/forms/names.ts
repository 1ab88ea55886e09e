import { connect, createServer, Server, Socket, type AddressInfo } from 'ferronet';

const made: Server = createServer((socket: Socket) => socket.end());
export const address = made.address() as AddressInfo;
export const all: [Socket, typeof Server] = [connect(80) as Socket, Server];
