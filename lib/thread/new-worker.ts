// Detects that a message is being serialized by the constructor of a worker. Only the call stack shows that. It is read as
// structured frames, because a program may truncate or format its text.
import type Util from 'node:util';

const util = require('node:util') as typeof Util;

interface Frame {
  functionName: string;
  scriptName: string;
}

/** More than there are frames of this package. */
const DEPTH = 16;

/** To be called while Node asks an object for its transfer list. */
export function isForNewWorker(): boolean {
  const { getCallSites = framesOfError } = util as {
    getCallSites?: (count: number, options: { sourceMap: boolean }) => Frame[];
  };
  const caller = getCallSites(DEPTH, { sourceMap: false }).find(({ scriptName }) => scriptName !== __filename);
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
    // Reading the stack formats it.
    void new Error('for its frames').stack;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    Error.prepareStackTrace = prepareStackTrace;
  }
  return frames;
}
