// Requests: operations of a handle that complete later, with Node's field names, and in the async context of the caller.
import { AsyncResource } from 'node:async_hooks';

import { manualDestroy } from '../node/async-resource.js';
import { uvErrno } from '../errors/errors.js';
import { refLoop, unrefLoop } from './dispatcher.js';

const UV_EBADF: number = uvErrno('EBADF');

/** A request, as Node's `WriteWrap` and others. A plain object, to which callers add fields of their own. */
export interface Req {
  /** `status`: 0 or a negative libuv error. */
  oncomplete(status: number, handle: unknown, req: this): void;
  /** Set by `write`: whether `oncomplete` will be called. */
  async?: boolean;
  /** Set by `write`: the size in bytes. */
  bytes?: number;
}

/**
 * The `status` for an error of a socket of node:net. An error without a number comes from a stream that has ended or was
 * destroyed, and becomes `EBADF`.
 */
export function statusOf(error: Error | null | undefined): number {
  if (!error) return 0;
  const { errno } = error as NodeJS.ErrnoException;
  return typeof errno === 'number' && errno < 0 ? errno : UV_EBADF;
}

/** A request that has not completed. It is the async resource of its callback. */
export class Pending extends AsyncResource {
  readonly #req: Req;

  /** @param trigger the async id of the handle */
  constructor(type: string, req: Req, trigger: number) {
    super(type, manualDestroy(trigger));
    this.#req = req;
    // libuv: a request keeps the loop alive, whether its handle is ref'd or not.
    refLoop();
  }

  complete(status: number, handle: unknown): void {
    unrefLoop();
    try {
      this.runInAsyncScope(this.#req.oncomplete, this.#req, status, handle, this.#req);
    } finally {
      this.emitDestroy();
    }
  }
}

/** A shutdown that has not completed. */
export class PendingShutdown extends Pending {
  /** FIN waits until the reactor has all bytes of the queue. */
  waits: boolean;
  /** How it ended, until `oncomplete` may be called. */
  status: number | undefined = undefined;

  /** @param trigger the async id of the handle */
  constructor(req: Req, trigger: number, waits: boolean) {
    super('SHUTDOWNWRAP', req, trigger);
    this.waits = waits;
  }
}
