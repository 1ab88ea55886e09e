// The options that a socket of node:net has set on its descriptor. Node stores them under symbols.
import type { Socket } from 'node:net';

function symbolOf(socket: Socket, name: string): symbol | undefined {
  return Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
}

function readSymbol(socket: Socket, name: string): unknown {
  const symbol = symbolOf(socket, name);
  return symbol && Reflect.get(socket, symbol);
}

function writeSymbol(socket: Socket, name: string, value: unknown): void {
  const symbol = symbolOf(socket, name);
  if (symbol) Reflect.set(socket, symbol, value);
}

/** Times are seconds. `interval` and `count` exist since Node 24.19 and 26.4, if they were set. */
export interface Settings {
  noDelay: boolean;
  keepAlive: { enable: boolean; idle: number; interval?: number | undefined; count?: number | undefined };
}

export function readSettings(socket: Socket): Settings {
  return {
    noDelay: Boolean(readSymbol(socket, 'kSetNoDelay')),
    keepAlive: {
      enable: Boolean(readSymbol(socket, 'kSetKeepAlive')),
      idle: Number(readSymbol(socket, 'kSetKeepAliveInitialDelay') ?? 0),
      interval: readSymbol(socket, 'kSetKeepAliveInterval') as number | undefined,
      count: readSymbol(socket, 'kSetKeepAliveCount') as number | undefined,
    },
  };
}

/** Only recorded: the kernel has them already, and older versions of Node would set intervals that were not requested. */
export function storeSettings(socket: Socket, { noDelay, keepAlive }: Settings): void {
  writeSymbol(socket, 'kSetNoDelay', noDelay);
  writeSymbol(socket, 'kSetKeepAlive', keepAlive.enable);
  writeSymbol(socket, 'kSetKeepAliveInitialDelay', keepAlive.idle);
}
