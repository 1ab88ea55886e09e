// The ways to write to a socket. What is written while it can be written to is what its peer has to get.
import type { Flow } from './content.js';
import type { Action } from './program.js';
import type { Watched } from './watched.js';

/** After a write that returned false: a socket that ends meanwhile has no `drain`. */
const GO_ON = ['drain', 'finish', 'close'] as const;

export function write(
  watched: Watched,
  flow: Flow,
  { size, form, times = 1, corked = false }: Action & { do: 'write' },
): void {
  const { socket } = watched;
  if (corked) socket.cork();
  for (let n = 0; n < times; n++) {
    const chunk = flow.next(size, form);
    if (socket.writable) flow.send(chunk);
    socket.write(chunk.data, chunk.encoding, watched.callback('write', chunk.bytes.length));
  }
  if (corked) socket.uncork();
}

export async function pump(watched: Watched, flow: Flow, { size, piece }: Action & { do: 'pump' }): Promise<void> {
  const { socket } = watched;
  for (let left = size; left > 0 && socket.writable; left -= piece) {
    const chunk = flow.next(Math.min(piece, left), 'buffer');
    flow.send(chunk);
    if (socket.write(chunk.data, watched.callback('write', chunk.bytes.length))) continue;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        for (const event of GO_ON) socket.off(event, go);
        resolve();
      };
      if (socket.destroyed) go();
      else for (const event of GO_ON) socket.on(event, go);
    });
  }
}

export function end(watched: Watched, flow: Flow, { size, form = 'buffer' }: Action & { do: 'end' }): void {
  const { socket } = watched;
  // Node never calls the callback of an end after the destruction.
  const done = socket.destroyed ? undefined : watched.callback('end');
  if (size === undefined) {
    socket.end(done);
    return;
  }
  const chunk = flow.next(size, form);
  if (socket.writable) flow.send(chunk);
  if (chunk.encoding) socket.end(chunk.data as string, chunk.encoding, done);
  else socket.end(chunk.data, done);
}
