// What was asked of a socket of node:net, which it keeps under symbols of its own.
import type { Socket } from 'node:net';

function symbolOf(socket: Socket, name: string): symbol | undefined {
  return Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
}

function noted(socket: Socket, name: string): unknown {
  const symbol = symbolOf(socket, name);
  return symbol && Reflect.get(socket, symbol);
}

function note(socket: Socket, name: string, value: unknown): void {
  const symbol = symbolOf(socket, name);
  if (symbol) Reflect.set(socket, symbol, value);
}

/** Seconds, as the kernel counts them. The last two are there since Node 24.19 and 26.4, once they were given. */
export interface Settings {
  noDelay: boolean;
  keepAlive: { enable: boolean; idle: number; interval?: number | undefined; count?: number | undefined };
}

export function readSettings(socket: Socket): Settings {
  return {
    noDelay: Boolean(noted(socket, 'kSetNoDelay')),
    keepAlive: {
      enable: Boolean(noted(socket, 'kSetKeepAlive')),
      idle: Number(noted(socket, 'kSetKeepAliveInitialDelay') ?? 0),
      interval: noted(socket, 'kSetKeepAliveInterval') as number | undefined,
      count: noted(socket, 'kSetKeepAliveCount') as number | undefined,
    },
  };
}

/** Only recorded: the kernel has them already, and older versions of Node would set intervals that were not requested. */
export function noteSettings(socket: Socket, { noDelay, keepAlive }: Settings): void {
  note(socket, 'kSetNoDelay', noDelay);
  note(socket, 'kSetKeepAlive', keepAlive.enable);
  note(socket, 'kSetKeepAliveInitialDelay', keepAlive.idle);
}
