// Who turns the reactor, and how many threads share the connections: settings under which a program has to do the same.
export const settings: Readonly<Record<string, Record<string, string>>> = {
  'the load decides': {},
  'the loop': { FERRONET_DRIVER: 'loop' },
  'the thread': { FERRONET_DRIVER: 'thread' },
  'four threads': { FERRONET_THREADS: '4' },
};
