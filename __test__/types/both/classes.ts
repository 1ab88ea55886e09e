// Classes of a program over those of the module.
import * as net from 'ferronet';

class Counting extends net.Socket {
  readonly mine: number = 1;
  constructor(options?: net.SocketConstructorOpts) {
    super(options);
    this.on('connect', () => this.mine);
  }
  override write(...args: never[]): boolean {
    return Reflect.apply(super.write, this, args) as boolean;
  }
  override setKeepAlive(...args: never[]): this {
    return Reflect.apply(super.setKeepAlive, this, args) as this;
  }
  override _write(chunk: unknown, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    super._write(chunk, encoding, callback);
  }
  override destroy(error?: Error): this {
    return super.destroy(error);
  }
}

class Named extends net.Server {
  override close(callback?: (error?: Error) => void): this {
    return super.close(callback);
  }
  override address(): net.AddressInfo {
    return super.address() as net.AddressInfo;
  }
}

const socket: net.Socket = new Counting({ allowHalfOpen: true }).setNoDelay().setTimeout(1);
const server: net.Server = new Named({ allowHalfOpen: true }, (accepted) => accepted.end()).listen(0);
const classes: [typeof net.Socket, typeof net.Server] = [Counting, Named];
const made: net.Socket = new classes[0]();
const instance: InstanceType<typeof net.Socket> = made as InstanceType<typeof net.Socket>;
const isOne = (value: unknown): value is net.Socket => value instanceof net.Socket;
console.log(socket, server, instance, isOne(made), net.Socket.prototype.write, Counting.from);
export interface Marked extends net.Socket {
  mark: string;
}
export type Both = net.Socket & { mark: string };
