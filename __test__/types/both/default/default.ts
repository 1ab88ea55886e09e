import net, { Socket } from 'ferronet';
import type types from 'ferronet';

const made: net.Server = net.createServer((socket: types.Socket) => socket.end());
export const address = made.address() as net.AddressInfo;
export const socket: net.Socket = new Socket();
