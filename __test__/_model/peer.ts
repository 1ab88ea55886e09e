// A relay in a process of its own, on node:net: so that there is another process between two sockets of a program, as
// in production. For each port that it is asked to forward to, it answers one of its own, for one connection.
import { type ChildProcess, fork } from 'node:child_process';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

interface Question {
  number: number;
  port: number;
}

export class Peer {
  readonly #child: ChildProcess = fork(__filename, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
  readonly #answers = new Map<number, (port: number) => void>();
  #asked = 0;

  constructor() {
    this.#child.on('message', ({ number, port }: Question) => {
      this.#answers.get(number)?.(port);
      this.#answers.delete(number);
      // The process ends when there is nothing else to do.
      if (this.#answers.size === 0) this.#child.channel?.unref();
    });
    this.#child.unref();
  }

  /** A port that forwards to `port`. */
  to(port: number): Promise<number> {
    this.#child.channel?.ref();
    return new Promise((resolve) => {
      const number = this.#asked++;
      this.#answers.set(number, resolve);
      this.#child.send({ number, port });
    });
  }
}

function join(front: Socket, port: number): void {
  const back = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  for (const [one, other] of [
    [front, back],
    [back, front],
  ] as const) {
    one.pipe(other);
    one.on('error', () => {
      if (other.writableEnded && !other.writableFinished) other.destroy();
      else if (!other.destroyed) other.resetAndDestroy();
    });
    other.on('close', () => process.nextTick(() => one.resume()));
  }
}

if (require.main === module) {
  process.on('disconnect', () => process.exit());
  process.on('message', ({ number, port }: Question) => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      server.close();
      join(socket, port);
    });
    server.listen(0, '127.0.0.1', () => process.send?.({ number, port: (server.address() as AddressInfo).port }));
  });
}
