// Each wrong call, on node:net and on ferronet: the same error at the same time, or none.
import { rows as ofBlockLists } from '../_misuse/block-list.js';
import { rows as ofBoundSockets } from '../_misuse/bound-socket.js';
import { rows as ofServers } from '../_misuse/server.js';
import { rows as ofSockets } from '../_misuse/socket.js';
import { misuse } from '../_helpers/misuse.js';

misuse({ ...ofSockets, ...ofServers, ...ofBlockLists, ...ofBoundSockets });
