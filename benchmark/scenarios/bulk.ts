// Scenarios in which much flows one way: uploads, downloads, and many small writes in one tick.
import { load } from '../runners/peer';
import type { ServerScenario } from './scenario';

const CONNECTIONS = 4;
const CHUNK = 65_536;
const MEGABYTE = 1e6;

function bulk(mode: 'upload' | 'download'): ServerScenario {
  return {
    name: mode,
    title: `${mode}, ${CONNECTIONS} connections, chunks of 64 KiB`,
    core: mode === 'upload',
    metrics: [{ name: 'bytes', unit: 'MB/s', better: 'more', target: 1.2 }],
    program: { name: mode === 'upload' ? 'sink' : 'source' },
    async measure({ binaries, span }, peer) {
      const { count, seconds } = await load(binaries, mode, peer, { connections: CONNECTIONS, bytes: CHUNK }, span);
      return { bytes: count / seconds / MEGABYTE };
    },
  };
}

const WRITES = { connections: 8, bytes: 64, batch: 100 };

const writes: ServerScenario = {
  name: 'writes',
  title: `${WRITES.batch} writes of ${WRITES.bytes} B in one tick, ${WRITES.connections} connections`,
  core: true,
  metrics: [{ name: 'messages', unit: 'messages/s', better: 'more', target: 1.5 }],
  program: { name: 'writes', bytes: WRITES.bytes, batch: WRITES.batch },
  async measure({ binaries, span }, peer) {
    const { count, seconds } = await load(binaries, 'writes', peer, WRITES, span);
    return { messages: count / seconds };
  },
};

export const bulkScenarios: readonly ServerScenario[] = [bulk('upload'), bulk('download'), writes];
