// What a handle can do as a listener. Node's `TCP` and `Pipe` are streams and listeners in one class, and so are these.
import { uvErrno } from '../errors/errors.js';
import { reactor } from './dispatcher.js';
import { HandleWrap, Stage } from './wrap.js';

const UV_EINVAL: number = uvErrno('EINVAL');

/** `Client`: the handle of an accepted connection. */
export abstract class ListeningHandle<Client extends ListeningHandle<Client>> extends HandleWrap {
  /** A connection, or a negative error. Called with the handle as `this`. */
  declare onconnection?: (status: number, client?: Client) => void;

  /** Set by the first `acceptOnDemand()`: no field, since the sockets are of this class as well. */
  declare private acceptsOnDemand?: boolean;

  /** Set by `giveDescriptors()`. */
  declare private clientMaker?: (fd: number) => object | number;

  /** A handle of the same class for an accepted connection. */
  protected abstract client(): Client;

  listen(backlog: number): number {
    if (this.id < 0 || this.isClosing()) return UV_EINVAL;
    const status = reactor().listen(this.id, backlog);
    if (status === 0) this.stage = Stage.Listening;
    else if (this.stage === Stage.Listening) this.stage = Stage.Open;
    this.updateLoopRef();
    return status;
  }

  /** Has the reactor accept no connection ahead: those that wait are not counted, and may have ended in the meantime. */
  acceptOnDemand(): void {
    if (this.acceptsOnDemand || this.id < 0 || this.isClosing()) return;
    this.acceptsOnDemand = reactor().acceptOnDemand(this.id) === 0;
  }

  /**
   * Calls `onconnection` with what `make` makes of the descriptor of each connection from now on, which it owns, or with
   * its negative error. Returns 0 or a negative error.
   */
  giveDescriptors(make: (fd: number) => object | number): number {
    const status = reactor().giveDescriptors(this.openId());
    if (status === 0) this.clientMaker = make;
    return status;
  }

  /** As `accepted`, of what `giveDescriptors` has asked for. */
  protected acceptedDescriptor(fd: number): void {
    const made = this.clientMaker?.(fd) ?? UV_EINVAL;
    const isFailed = typeof made === 'number';
    // The sockets of another owner have handles of its own class.
    const client = isFailed ? undefined : (made as Client);
    if (this.onconnection) this.context.runInAsyncScope(this.onconnection, this, isFailed ? made : 0, client);
    else client?.close();
  }

  /** Hands a connection that the reactor has accepted to `onconnection`, or closes it if there is none. */
  protected accepted(id: number): void {
    const client = this.clientOf(id);
    if (this.onconnection) this.context.runInAsyncScope(this.onconnection, this, 0, client);
    else client.close();
  }

  private clientOf(id: number): Client {
    // Outside of this handle's context: a connection starts without a store, as in Node.
    const client = this.client();
    client.opened(id);
    return client;
  }

  // ---- giving the listener to another owner

  /** A connection that was accepted and not delivered. */
  takeAccepted(): Client | undefined {
    const answer = reactor().takeAccepted(this.openId());
    return answer < 0 ? undefined : this.clientOf(answer);
  }

  /**
   * The connections that a shared listener accepted before it was shared, and that were not delivered. They are not in the
   * backlog, where the other owner would accept them when this handle is closed.
   */
  takeUndelivered(): Client[] {
    const undelivered: Client[] = [];
    if (!this.isShared) return undelivered;
    for (let client = this.takeAccepted(); client; client = this.takeAccepted()) undelivered.push(client);
    return undelivered;
  }

  /** Stops listening and closes the descriptor. The path of a local socket stays, and so do accepted connections. */
  retire(): number {
    return reactor().retire(this.openId());
  }

  /** Removes the path of a listening local socket when this handle closes, although this handle has not bound it. */
  ownPath(path: string): number {
    return reactor().ownPath(this.openId(), path);
  }
}
