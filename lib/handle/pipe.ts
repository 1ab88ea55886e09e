// `Pipe`: a local socket or listener, under the name that Node gives its own.
import { uvErrno } from '../errors/errors.js';
import { reactor } from './dispatcher.js';
import { UV_READABLE, UV_WRITABLE } from './numbers.js';
import type { Req } from './request.js';
import { StreamHandle } from './stream.js';

const UV_ENOTSUP: number = uvErrno('ENOTSUP');

function typeOf(isServer: boolean): string {
  return isServer ? 'PIPESERVERWRAP' : 'PIPEWRAP';
}

/** A Unix socket (or another local descriptor); on Windows a named pipe. */
export class Pipe extends StreamHandle {
  static readonly IPC: number = 2;

  constructor(type: number = Pipe.SOCKET, trigger?: number) {
    const isServer = type === Pipe.SERVER;
    super(typeOf(isServer), isServer, trigger);
  }

  protected typeOf(isServer: boolean): string {
    return typeOf(isServer);
  }

  override get kind(): 'PIPE' {
    return 'PIPE';
  }

  protected client(): Pipe {
    return new Pipe(Pipe.SOCKET, this.getAsyncId());
  }

  bind(path: string, flags = 0): number {
    return this.openOnce(() => reactor().bindLocal(path, flags));
  }

  /** Returns an error only for a path that no socket can have. Every other error goes to `req.oncomplete`. */
  connect(req: Req, path: string): number {
    const open = (): number => reactor().localSocket();
    return this.connectWith(req, open, (id) => reactor().connectLocal(id, path));
  }

  /** Gives all users the permissions named by `UV_READABLE` and `UV_WRITABLE`. */
  fchmod(mode: number): number {
    if (this.id < 0) return UV_ENOTSUP;
    return reactor().openToAll(this.id, (mode & UV_READABLE) !== 0, (mode & UV_WRITABLE) !== 0);
  }
}
