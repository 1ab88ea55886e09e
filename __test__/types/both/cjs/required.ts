import net = require('ferronet');
import type Types = require('ferronet');

const server: net.Server = net.createServer((socket: Types.Socket) => socket.end());
export const address = server.address() as net.AddressInfo;
