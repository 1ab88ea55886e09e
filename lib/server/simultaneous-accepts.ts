// `net._setSimultaneousAccepts`, deprecated (DEP0121). Node 24 has removed it; before, programs find it among the exports.
import { define } from '../node/define.js';
import { nodeNet } from '../node/modules.js';
import { StreamHandle } from '../handle/stream.js';

/** Of a node:net that has the function. */
interface OldNet {
  _setSimultaneousAccepts: (handle?: unknown) => void;
}

// Node's own function warns once for a process. On Windows it changes a handle of Node's; ferronet's have nothing to change.
function _setSimultaneousAccepts(handle?: unknown): void {
  const own = handle instanceof StreamHandle;
  (nodeNet() as unknown as OldNet)._setSimultaneousAccepts(own ? undefined : handle);
}

/** Adds the function to the exports where the running Node has it. */
export function addRemovedExport(net: object): void {
  if (Number.parseInt(process.versions.node, 10) >= 24) return;
  define(net, '_setSimultaneousAccepts', {
    value: _setSimultaneousAccepts,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
