// Members of a socket as the typings of node:net have them.
import * as net from 'ferronet';

declare const socket: net.Socket;
const made = net.connect(80);

socket.write('text', undefined, () => {});
made.write('text', undefined, (error) => error?.message);
made.write(new Uint8Array(1), () => {});
made.end('text', undefined, () => {});
socket.setEncoding().setEncoding('utf8');
made
  .setEncoding()
  .pause()
  .resume()
  .setNoDelay()
  .setKeepAlive(true, 1000)
  .setTimeout(3000, () => made.end());
const buffered: number = made.bufferSize;
const attempted: string[] = made.autoSelectFamilyAttemptedAddresses;
const state: net.SocketReadyState = made.readyState;
const timeout: number | undefined = made.timeout;
const address: net.AddressInfo | {} = made.address();
made.on('lookup', (error: Error, ip, family, host: string) => console.log(error, ip, family, host));
made.once('lookup', (error, ip: string) => console.log(error, ip));
made.on('close', (hadError: boolean) => console.log(hadError));
made.on('data', (data) => console.log(data.length));
made.on('error', (error) => console.log(error.message)).on('anything', (one: number) => one);
made.on('connectionAttemptFailed', (ip, port, family, error) => console.log(ip, port, family, error.message));
console.log(buffered, attempted, state, timeout, address);

// @ts-expect-error neither text nor bytes
made.write({});
// @ts-expect-error neither text nor bytes
socket.write({});
// @ts-expect-error neither text nor bytes
made.end(1);
// @ts-expect-error it is read
made.bytesRead = 1;
// @ts-expect-error an encoding that is not there
made.setEncoding('utf7');
// @ts-expect-error a port is not an object
net.connect({ port: {} });
// @ts-expect-error a class has no such method
new net.Socket().sendTo(1);
// @ts-expect-error a field of the implementation
void made._hadError;
// @ts-expect-error a field of the implementation
void made._handle;

net.Socket.from(['a']).pipe(net.Socket.fromWeb(net.Socket.toWeb(made)));
const descriptor = new net.Socket({ fd: 3, readable: true, signal: AbortSignal.timeout(1) });
descriptor
  .connect('/tmp/echo.sock')
  .connect(80, 'localhost')
  .connect({ path: '/tmp/x' }, () => {});
descriptor.connect({ port: 80, lookup: (_host, _options, callback) => callback(null, '127.0.0.1', 4) });
net.createConnection({
  port: 80,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 1000,
  timeout: 5,
} as net.NetConnectOpts);
net.connect(80, 'localhost', () => {}).destroySoon();
net.connect('/tmp/x', () => {}).resetAndDestroy();
