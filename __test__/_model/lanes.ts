// What came of the sockets of a link, without what is a matter of chance.
import type { Lanes, Link } from './program.js';
import type { Watched } from './watched.js';

const RESET = /(?:(?:read|write) )?(?:ECONNRESET|EPIPE)/g;

export function lanesOf(link: Link, name: string, sockets: readonly Watched[], isWhole: boolean): Lanes {
  const lanes: Lanes = {};
  if (!link.ordered) return lanes;
  // Between two connections, whether a read or a write meets the reset is a matter of chance.
  const plain = (text: string): string => (link.proxies.length > 0 ? text.replaceAll(RESET, 'reset') : text);
  for (const { name: socket, events, results, counts } of sockets) {
    const lane = `${name}${socket}`;
    lanes[`${lane} events`] = plain(events.join(' '));
    if (counts.timeout > 0) lanes[`${lane} timeout`] = 'yes';
    if (!link.anyResults && results.length > 0) lanes[`${lane} results`] = plain(inRows(results, isWhole));
  }
  return lanes;
}

/** Equal ones in a row count as one, with a number where all has arrived: how far a cut stream came is chance. */
function inRows(words: readonly string[], isWhole: boolean): string {
  const rows: [word: string, times: number][] = [];
  for (const word of words) {
    const last = rows.at(-1);
    if (last?.[0] === word) last[1]++;
    else rows.push([word, 1]);
  }
  return rows.map(([word, times]) => (isWhole && times > 1 ? `${word} ×${times}` : word)).join(', ');
}
