// A handle of Node's for a connection that ferronet is making: it has no descriptor before that is made. What Node's socket does
// to it until then is done to the ferronet socket.
import type { FerronetSocket } from '../../index.js';
import type { NodeHandleClass, NodeStreamHandle } from '../../lib/handle/node-classes.js';
import { define } from '../../lib/node/define.js';

/** The options of the kernel's socket that a `TCP` sets, with its times in seconds. */
interface OptionSetters {
  setNoDelay(enable: boolean): number;
  setKeepAlive(enable: boolean, delay: number, interval?: number, count?: number): number;
  setTypeOfService(value: number): number;
  getTypeOfService(): number;
}

export interface ConnectingHandle extends NodeStreamHandle {
  /** Takes over the descriptor of the connection. Returns 0 or a negative error. */
  connected(fd: number): number;
}

type ConnectingClass = new (type: number, socket: FerronetSocket) => ConnectingHandle;

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

function subclassOf(Base: NodeHandleClass): ConnectingClass {
  const Native = Base as new (type: number) => NodeStreamHandle & OptionSetters;
  class Connecting extends Native implements ConnectingHandle {
    /** Until it is connected. */
    #socket: FerronetSocket | undefined;

    constructor(type: number, socket: FerronetSocket) {
      super(type);
      this.#socket = socket;
    }

    connected(fd: number): number {
      this.#socket = undefined;
      return this.open(fd);
    }

    override close(callback?: () => void): void {
      this.#socket?.destroy();
      super.close(callback);
    }

    override ref(): void {
      this.#socket?.ref();
      super.ref();
    }

    override unref(): void {
      this.#socket?.unref();
      super.unref();
    }

    override setNoDelay(enable: boolean): number {
      if (!this.#socket) return super.setNoDelay(enable);
      this.#socket.setNoDelay(enable);
      return 0;
    }

    override setKeepAlive(enable: boolean, delay: number, interval?: number, count?: number): number {
      if (!this.#socket) return super.setKeepAlive(enable, delay, interval, count);
      this.#socket.setKeepAlive(enable, delay * 1000, milliseconds(interval), count);
      return 0;
    }

    override setTypeOfService(value: number): number {
      if (!this.#socket) return super.setTypeOfService(value);
      this.#socket.setTypeOfService(value);
      return 0;
    }

    override getTypeOfService(): number {
      return this.#socket ? this.#socket.getTypeOfService() : super.getTypeOfService();
    }
  }
  define(Connecting, 'name', { value: Base.name, configurable: true });
  return Connecting;
}

const known = new Map<NodeHandleClass, ConnectingClass>();

/** The subclass of Node's `TCP` or `Pipe`. */
export function connectingClass(Base: NodeHandleClass): ConnectingClass {
  let found = known.get(Base);
  if (!found) known.set(Base, (found = subclassOf(Base)));
  return found;
}
