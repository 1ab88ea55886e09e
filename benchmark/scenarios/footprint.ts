// What there is to pay before a byte has moved: the memory of a connection that idles, and the time to `require`.
import { Child } from '../processes';
import { requireCommand } from '../runners/implementations';
import { bytesOfIdleConnection } from '../runners/peer';
import { median } from '../statistics';
import { atMost, openFiles } from './open-files';
import type { ProcessScenario, ServerScenario } from './scenario';

const linuxOnly = process.platform === 'linux' ? undefined : 'reads the memory of a process from /proc';

/** `wanted` connections, or as many as the limits allow; the title has their number. */
function idle(wanted: number, { target, unix = false }: { target?: number; unix?: boolean } = {}): ServerScenario {
  const possible = atMost(wanted);
  // Half as many is another scenario.
  const connections = possible * 2 < wanted ? wanted : possible;
  const { files, skip } = openFiles(connections);
  return {
    name: `idle-${unix ? 'unix-' : ''}${wanted}`,
    title: `idle connection${unix ? ' over a Unix socket' : ''}, ${connections} of them`,
    metrics: [{ name: 'memory', unit: 'bytes', better: 'less', ...(target !== undefined && { target }) }],
    program: { name: 'echo', unix, collects: true, ...(files && { files }) },
    cold: true,
    skip: linuxOnly ?? skip,
    measure: async ({ binaries }, peer) => ({
      memory: await bytesOfIdleConnection(binaries, peer, { connections, files }),
    }),
  };
}

const REQUIRES = 7;
const REQUIRE_SECONDS = 20;

const requireTime: ProcessScenario = {
  name: 'require',
  title: 'time to require',
  core: true,
  floor: false,
  metrics: [{ name: 'time', unit: 'ms', better: 'less', limit: 15 }],
  program: null,
  async measure({ binaries }, peer) {
    const times: number[] = [];
    for (let n = 0; n < REQUIRES; n++) {
      const child = new Child(`require on ${peer.name}`, requireCommand(peer, binaries));
      try {
        times.push((await child.hear<{ milliseconds: number }>(REQUIRE_SECONDS)).milliseconds);
      } finally {
        await child.leave();
      }
    }
    return { time: median(times) };
  },
};

export const footprintScenarios: readonly (ServerScenario | ProcessScenario)[] = [
  idle(5000, { target: 1 }),
  idle(20_000),
  idle(5000, { unix: true }),
  requireTime,
];
