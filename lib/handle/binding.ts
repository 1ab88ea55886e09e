/** What the native addon exports, with its types. */
import type * as Native from '../../binding.js';
import { loadAddon } from './addon.js';

const native = loadAddon();

/** The reactor of one thread: its sockets, and the calls to them. Numbers are ids, counts or libuv errors. */
export type Reactor = Native.Reactor;
export const Reactor: typeof Native.Reactor = native.Reactor;

/** A duplicate of a descriptor, which the caller has to close, or a negative error. */
export const duplicateDescriptor: typeof Native.duplicateDescriptor = native.duplicateDescriptor;

/** Closes a transferred handle that will not be received. Does nothing if it was. */
export const closeUnreceived: typeof Native.giveUp = native.giveUp;

/** The numbers of libuv's TCP sockets that keep this thread's loop alive. */
export const referencedSockets: typeof Native.referencedSockets = native.referencedSockets;

/** The type of a descriptor, as `uv_guess_handle` names it. */
export const guessHandleType: typeof Native.guessHandleType = native.guessHandleType;

/** Numbers of the reactors of this thread, or of all in the process. */
export const stats: typeof Native.stats = native.stats;
