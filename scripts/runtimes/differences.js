// What is otherwise in Bun and Deno, each with its reason; docs/PLATFORMS.md has them for users.
'use strict';

/**
 * @typedef {{ from: RegExp, to: string }} Wording what the runtime says, and what Node says
 *
 * What is otherwise in one runtime and one file of the suite.
 * @typedef {object} Here
 * @property {readonly Wording[]} wordings
 * @property {Readonly<Record<string, string>>} otherwise by the titles of the tests: those that are to fail, and why
 * @property {Readonly<Record<string, string>>} unsure those that are not run, because they hang or because their outcome is
 * a matter of chance
 *
 * @typedef {object} Differences
 * @property {readonly Wording[]} wordings
 * @property {Readonly<Record<string, string>>} absent files that are not run, by the beginnings of their names
 * @property {Readonly<Record<string, Record<string, string>>>} otherwise
 * @property {Readonly<Record<string, Record<string, string>>>} unsure
 */

/** Files that are run in neither. */
const absent = {
  'api-docs': 'programs for Node, as those of examples',
  cluster: "needs Node's own cluster",
  descriptors: 'closes numbers that their own parts use, in programs made for Node',
  'embedded-loop': "how Electron embeds libuv's loop, which is not theirs",
  'external-buffers': 'a rule of Electron, played by what is preloaded into Node',
  ends: 'programs for Node, compared with what its own net does with a reset',
  exhaustion: 'limits descriptors to what Node takes at its start',
  'fake-timers': "Node's test runner fakes them",
  handover: "takes the descriptor out of Node's own sockets",
  http: "asks Node's own http, https and http2 for more than interop does",
  interrupted: "a shim below Node's calls",
  ipc: "sends handles by Node's own channels",
  model: 'compares with node:net, in processes of its own',
  'no-memory': "refuses memory to Node's addons",
  package: 'about npm, tsc and the loader',
  examples: 'programs for Node, compared with what they print there',
  permission: "Node's permission model",
  register: "Node's module hooks",
  'short-reads': "counts Node's system calls, and needs its child_process",
  systemd: 'starts Node with options of its own',
  threads: 'compares with node:net in one and the same process',
  transfer: "Node's own way to hand objects to another thread",
  'unusable-handles': "Node's own native handles",
  'updated-package': "a copy of the package that Node's loader loads",
  'worker-siege': 'also hands sockets over to other threads, as transfer does',
  'interop/http-server': 'their http takes ferronet’s connections, but no timeouts and resets of them',
  'interop/http2': 'how their http2 ends over ferronet’s sockets is a matter of chance',
  'interop/https': 'as tls-core',
  'interop/tls-core': 'their tls.Server takes no connections of ferronet’s, or not all',
};

const OWN_LISTS =
  "the runtime's own BlockList and SocketAddress, which ferronet’s are made of, refuse it in words of their own";
const OWN_NET = "a handle from elsewhere is given to the runtime's own net, which takes or refuses it in its own way";
const FOREIGN = [
  'new Socket({ handle: 5 })',
  "new Socket({ handle: 'x' })",
  'new Socket({ handle: true })',
  'new Socket({ handle: Symbol })',
  'new Socket({ handle: frozen })',
];
const OWN_CLONES = "the runtime's structuredClone does not know them";
const NO_PHASES = 'the closing phase of the loop is imitated by an immediate';
const THREAD = 'the two ends in one process hear of each other through a thread, sooner or later';

const RESOLVER = "at times Deno's resolver answers in the next microtask";

/** @param {string} reason @param {readonly string[]} titles */
const all = (reason, titles) => Object.fromEntries(titles.map((title) => [title, reason]));

const unsure = {
  'parity/misuse': all('each engine has words of its own for what is no JSON', ["fromJSON('{')"]),
  'parity/relay': all(THREAD, ['the client ends, and the server answers', 'the server ends, and the client goes on']),
};

/** @type {Differences} */
const bun = {
  wordings: [
    // The codes of its own errors are not enumerable.
    { from: /(\[code=ERR_\w+\] "(?:[^"\\]|\\.)*") \(\)/g, to: '$1 (code)' },
    { from: /Error\/AbortError\[code=ABORT_ERR\] ("[^"]*") \(\)/g, to: 'AbortError[code=ABORT_ERR] $1 (code,name)' },
    { from: /must be of type AbortSignal/, to: 'must be an instance of AbortSignal' },
    { from: /Cannot convert a symbol to a string/, to: 'Cannot convert a Symbol value to a string' },
    {
      from: /The argument 'family' must be one of 0, 4 or 6/,
      to: "The property 'options.family' must be one of: 0, 4, 6",
    },
    // Its resolver has numbers and a class of its own.
    {
      from: /Error\/DNSException\[code=ENOTFOUND errno=4 (.*?)\] (".*?") \(code,syscall,errno,name,hostname\)/g,
      to: 'Error[code=ENOTFOUND errno=-3008 $1] $2 (errno,code,syscall,hostname)',
    },
  ],
  absent: {
    'interop/child-stdio': 'it does not publish the children that it makes',
    'interop/tls': 'its TLS wants a socket of its own below',
    'interop/undici': 'undici is its own, whatever is installed',
  },
  otherwise: {
    'block-list': {
      ...all(OWN_LISTS, ['all or none', 'wrong arguments are refused in the words of Node']),
      'rules go out again': 'its addresses keep the spelling that they were given in',
      'it travels, and the copy goes on sharing the rules': OWN_CLONES,
    },
    'interop/handle': all('its async ids are all 0', [
      'an async id of its own, and another one after asyncReset [ferronet]',
    ]),
    'parity/destroy': all(NO_PHASES, ['destroy by an immediate']),
    'parity/misuse': {
      ...all(OWN_LISTS, [
        'addAddress(1)',
        "addAddress('x')",
        "addAddress('1.1.1.1', 'ipv9')",
        "addAddress('::1') as IPv4",
        "addAddress('1.1.1.1', 4)",
        'check(1)',
        'check()',
        "addRange('10.0.0.9', '10.0.0.1')",
        "addRange('10.0.0.1', 'x')",
        "addRange('10.0.0.1')",
        "addSubnet('1.1.1.1', 'x')",
        "addSubnet('x', 8)",
        "new SocketAddress({ address: 'nope' })",
        "new SocketAddress({ family: 'x' })",
        'new SocketAddress({ port: 70000 })',
        'new SocketAddress({ flowlabel: -1 })',
      ]),
      ...all(OWN_NET, [...FOREIGN, 'listen({ handle: 5 })', "listen({ handle: 'x' })"]),
    },
    resources: {
      'process.getActiveResourcesInfo() does not list what is open': 'it lists nothing at all',
      'ferronet: the types of async resources': 'it reports nothing to async_hooks',
    },
    'socket-address': all(OWN_CLONES, ["the instances are Node's, whichever way they came"]),
  },
  unsure,
};

/** @type {Differences} */
const deno = {
  wordings: [
    // Its own errors have two members more.
    { from: /\(code,name,toString(.*?)\)/g, to: '(code$1)' },
    { from: /ERR_\w+\/Error(\[code=ERR_\w+\] ".*?") \(code,name\)/g, to: 'Error$1 (code)' },
    // `dns.ADDRCONFIG`.
    { from: /"hints":64/, to: '"hints":32' },
  ],
  absent: {
    cli: 'its child_process reports no status of a program that it has sent a signal to',
  },
  otherwise: {
    'block-list': {
      ...all(OWN_LISTS, ['all or none', 'wrong arguments are refused in the words of Node']),
      'it travels, and the copy goes on sharing the rules': OWN_CLONES,
    },
    exit: all('it does not emit `exit` when an error ends the process', [
      'an error without a listener ends the process',
    ]),
    'interop/child-stdio': all('spawnSync() takes a socket, and one that has closed', [
      'what is no standard input: a socket for spawnSync(), and one that has closed [ferronet]',
    ]),
    'interop/http-agent': all('its agent does not ask for a new async context', [
      'each request on a kept connection has its own async context [ferronet]',
    ]),
    'interop/tls': all('its TLS has another code', ['a peer that does not speak TLS is an error [ferronet]']),
    'parity/destroy': all(NO_PHASES, ['destroy by an immediate']),
    'parity/misuse': {
      ...all(OWN_LISTS, [
        "addAddress('x')",
        "addAddress('::1') as IPv4",
        "addRange('10.0.0.9', '10.0.0.1')",
        "addRange('10.0.0.1', 'x')",
        "addSubnet('x', 8)",
        "new SocketAddress({ address: 'nope' })",
        'new SocketAddress({ port: 70000 })',
        'new SocketAddress({ flowlabel: -1 })',
      ]),
      ...all(OWN_NET, FOREIGN),
    },
    'socket-address': all(OWN_CLONES, ["the instances are Node's, whichever way they came"]),
  },
  unsure: {
    ...unsure,
    'interop/child-stdio': all('its fs knows descriptors that it has opened itself', [
      'writes go out as they are made once the descriptor is known [ferronet]',
      'a socket of a descriptor writes as others do who have it [ferronet]',
    ]),
    'connect-attempts': all('it opens and closes descriptors of its own meanwhile', [
      'a connecting socket has the one descriptor of its attempt',
      ...['open', 'bound', 'connecting', 'timed out', 'failed', 'won', 'won, the second of two'].map(
        (state) => `no descriptor is left of an attempt that is ${state} [ferronet]`,
      ),
    ]),
    garbage: all('how much memory it keeps is its own affair', [
      '10,000 connections leave no descriptor and no memory',
    ]),
    'parity/connect': all(RESOLVER, ['connect by name', 'a name that does not exist']),
    'parity/listen': all(RESOLVER, ['listen on a host that does not exist']),
    'parity/system-errors': all(RESOLVER, [
      'connect: an unknown name',
      'connect: an unknown name, one family',
      'connect: an unknown name, one address at a time',
      'listen: an unknown name',
    ]),
  },
};

/** @type {Record<string, Differences>} */
const differences = { bun, deno };

/**
 * Why a file is not run, if it isn't.
 * @param {string} runtime
 * @param {string} name
 */
function absence(runtime, name) {
  const reasons = { ...absent, ...differences[runtime]?.absent };
  return Object.entries(reasons).find(([start]) => name.startsWith(start))?.[1];
}

/**
 * @param {string} runtime
 * @param {string} name of the file
 * @returns {Here}
 */
function differencesIn(runtime, name) {
  const { wordings = [], otherwise = {}, unsure = {} } = differences[runtime] ?? {};
  return { wordings, otherwise: otherwise[name] ?? {}, unsure: unsure[name] ?? {} };
}

module.exports = { absence, differencesIn };
