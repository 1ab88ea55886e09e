/**
 * The only door to the native half. `binding.js` is generated beside `package.json`; this file is compiled to two floors
 * below it, and put into `dist/index.js` (scripts/bundle.js). The plain `require` lets bundlers and Electron's packagers see the addon.
 */
import type * as Native from '../../binding.js';

function loadNative(): typeof Native {
  try {
    return require('../../../binding.js') as typeof Native;
  } catch (error) {
    const { loadError } = require('./load-error.js') as typeof import('./load-error.js');
    throw loadError(error, require.resolve('../../../binding.js'));
  }
}

const native = loadNative();

/** The reactor of one thread: its sockets, and the calls to them. Numbers cross: ids, counts, libuv errors. */
export type Reactor = Native.Reactor;
export const Reactor: typeof Native.Reactor = native.Reactor;

/** Another descriptor of what a descriptor is, the caller's to close, or a negative error. */
export const duplicateDescriptor: typeof Native.duplicateDescriptor = native.duplicateDescriptor;

/** Closes what was sent off and will not be received; nothing happens if it was. */
export const closeUnreceived: typeof Native.giveUp = native.giveUp;

/** The numbers of libuv's TCP sockets that keep this thread's loop alive. */
export const referencedSockets: typeof Native.referencedSockets = native.referencedSockets;

/** What a descriptor is, in the words of `uv_guess_handle`. */
export const guessHandleType: typeof Native.guessHandleType = native.guessHandleType;
