// Scenarios of connections that live for one byte there and back, accepted by the peer or opened by it.
import { load, loadByConnecting } from '../runners/peer';
import type { ServerScenario } from './scenario';

const UNDER_WAY = 16;

const churn: ServerScenario = {
  name: 'churn',
  title: `accept, echo a byte, close; ${UNDER_WAY} at a time`,
  core: true,
  metrics: [{ name: 'connections', unit: 'connections/s', better: 'more', target: 1.1 }],
  program: { name: 'echo' },
  async measure({ binaries, span }, peer) {
    const { count, seconds } = await load(binaries, 'churn', peer, { connections: UNDER_WAY }, span);
    return { connections: count / seconds };
  },
};

const unixChurn: ServerScenario = {
  ...churn,
  name: 'churn-unix',
  title: `accept, echo a byte, close; ${UNDER_WAY} at a time over a Unix socket`,
  core: false,
  metrics: [{ name: 'connections', unit: 'connections/s', better: 'more' }],
  program: { name: 'echo', unix: true },
  skip: process.platform === 'win32' ? 'there are no Unix sockets' : undefined,
};

const connectChurn: ServerScenario = {
  name: 'connect-churn',
  title: `connect, send a byte, close; ${UNDER_WAY} at a time`,
  metrics: [{ name: 'connections', unit: 'connections/s', better: 'more' }],
  program: { name: 'connect' },
  async measure({ binaries, span }, peer) {
    const { count, seconds } = await loadByConnecting(binaries, peer, { connections: UNDER_WAY }, span);
    return { connections: count / seconds };
  },
};

export const churnScenarios: readonly ServerScenario[] = [churn, unixChurn, connectChurn];
