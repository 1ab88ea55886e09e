// Whether a message is made for a worker that has just been created: Node tells nobody, but its frames are on the stack. They
// are read as frames and not as text, which a program may cut off or format as it likes.
import type Util from 'node:util';

const util = require('node:util') as typeof Util;

interface Frame {
  functionName: string;
  scriptName: string;
}

/** More than are ours. */
const DEPTH = 16;

/** Called from where Node asks an object of ours what goes along with it. */
export function isForNewWorker(): boolean {
  const { getCallSites = framesOfError } = util as { getCallSites?: (count: number) => Frame[] };
  const caller = getCallSites(DEPTH).find(({ scriptName }) => scriptName !== __filename);
  return caller?.functionName === 'Worker' && caller.scriptName === 'node:internal/worker';
}

/** Before Node 22.12. None where `Error` is frozen. */
function framesOfError(): Frame[] {
  if (Object.isFrozen(Error)) return [];
  const { prepareStackTrace, stackTraceLimit } = Error;
  let frames: Frame[] = [];
  try {
    Error.stackTraceLimit = DEPTH;
    Error.prepareStackTrace = (_error, sites) => {
      frames = sites.map((site) => ({
        functionName: site.getFunctionName() ?? '',
        scriptName: site.getFileName() ?? '',
      }));
    };
    // Formats it.
    void new Error('for its frames').stack;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    Error.prepareStackTrace = prepareStackTrace;
  }
  return frames;
}
