// The connecting side: connects, sends a byte, waits until it is back, closes, and begins anew.
import type { Net } from './programs.cjs';

/** How many connections are under way at any time, as in `crates/benchmark/src/bin/floor.rs`. */
const UNDER_WAY = 16;
/** A connection that was closed keeps its ports for a while; those to a single address would run out. */
const ADDRESSES = process.platform === 'linux' ? 200 : 1;

/** Connects until the function that it returns is called, which calls back when the last connection has ended. */
export function connectAgainAndAgain(net: Net, port: number): (stopped: () => void) => void {
  let turn = 0;
  let running = UNDER_WAY;
  let whenStopped: (() => void) | undefined;

  const next = (): void => {
    if (whenStopped) {
      running--;
      if (running === 0) whenStopped();
      return;
    }
    turn++;
    const socket = net.connect({ port, host: `127.0.0.${1 + (turn % ADDRESSES)}`, noDelay: true });
    socket.on('connect', () => socket.write('x'));
    socket.on('data', () => socket.end());
    socket.on('error', (error) => {
      console.error(error);
      process.exit(1);
    });
    socket.on('close', next);
  };
  for (let n = 0; n < UNDER_WAY; n++) next();
  return (stopped) => {
    whenStopped = stopped;
  };
}
