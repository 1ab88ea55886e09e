// Known differences: `npm run fuzz` counts them apart, the suite passes over them. The mend of one removes its line.

/** How the text of a violation begins, after the name of the socket, and the cause. */
const KNOWN: Readonly<Record<string, string>> = {
  'end of a local socket, but its peer was destroyed with bytes that it had not read':
    'what a thread of the reactor has read ahead is not in the kernel any more, and only TCP can be reset by its owner',
};

export function isKnown(reason: string): boolean {
  return Object.keys(KNOWN).some((known) => reason.includes(`: ${known}`));
}
