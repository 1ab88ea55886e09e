// A server of the command line: listens, counts connections and bytes, shows them, and ends with them.
import type * as Net from '../../index.js';
import { Exit, type Values } from './command.js';
import { type Endpoint, endpointText } from './endpoint.js';
import { bytesText, LiveLine, readInterval } from './traffic.js';

type Socket = Net.Socket;

export const LIVE_OPTIONS = {
  interval: { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
} as const;

export const LIVE_DETAILS = `Options:
  --interval SECONDS  between two lines of numbers (1)
  -q, --quiet         shows no numbers
  -h, --help          shows this`;

/** What was counted of all connections. */
export class Counts {
  readonly #open = new Set<Socket>();
  #all = 0;
  #failed = 0;
  #reason = '';
  #closedIn = 0;
  #closedOut = 0;

  /** Until it closes, its bytes count as they are. */
  add(socket: Socket): void {
    this.#all += 1;
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#closedIn += socket.bytesRead;
      this.#closedOut += socket.bytesWritten;
    });
  }

  fail(error: Error): void {
    this.#failed += 1;
    this.#reason = error.message;
  }

  end(): void {
    for (const socket of this.#open) socket.destroy();
  }

  text(): string {
    let received = this.#closedIn;
    let sent = this.#closedOut;
    for (const socket of this.#open) {
      received += socket.bytesRead;
      sent += socket.bytesWritten;
    }
    const counts = `${this.#open.size} open, ${this.#all} in all, ${bytesText(received)} in, ${bytesText(sent)} out`;
    return this.#failed === 0 ? counts : `${counts}, ${this.#failed} failed (last: ${this.#reason})`;
  }
}

/**
 * Listens until SIGINT or SIGTERM.
 *
 * @param serve called for each connection
 */
export function serve(
  listen: Endpoint,
  values: Values,
  title: (address: string) => string,
  serve: (socket: Socket, counts: Counts) => void,
): Promise<Exit> {
  const seconds = readInterval(values['interval']);
  const net = require('../../index.js') as typeof Net;
  const counts = new Counts();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    counts.add(socket);
    serve(socket, counts);
  });
  return new Promise((resolve) => {
    let live: LiveLine | undefined;
    const end = (): void => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, end);
      live?.end();
      server.close();
      counts.end();
      resolve(Exit.Done);
    };
    server.once('listening', () => {
      process.stdout.write(`${title(endpointText(server.address()))}\n`);
      if (values['quiet'] !== true) live = new LiveLine(() => counts.text(), seconds);
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end);
    });
    server.on('error', (error) => {
      process.stderr.write(`ferronet: ${error.message}\n`);
      resolve(Exit.Failed);
    });
    server.listen(listen);
  });
}
