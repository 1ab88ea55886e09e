// Which strings are IP addresses, exactly as for Node's `isIP`. A scan and not a regular expression, because every connect
// tests its address.

const DOT = 0x2e;
const COLON = 0x3a;
const ZERO = 0x30;

function isDigit(code: number): boolean {
  return code >= ZERO && code <= 0x39;
}

function isHex(code: number): boolean {
  const letter = code | 0x20;
  return isDigit(code) || (letter >= 0x61 && letter <= 0x66);
}

// Four numbers 0-255 without leading zeros: for Node "127.0.0.01" is a name, because resolvers disagree about octal.
function isQuad(text: string, start: number, end: number): boolean {
  let numbers = 0;
  let at = start;
  for (;;) {
    const first = at;
    let value = 0;
    while (at < end && isDigit(text.charCodeAt(at))) {
      value = value * 10 + text.charCodeAt(at) - ZERO;
      at += 1;
    }
    const length = at - first;
    if (length === 0 || length > 3 || value > 255) return false;
    if (length > 1 && text.charCodeAt(first) === ZERO) return false;
    numbers += 1;
    if (at === end) return numbers === 4;
    if (numbers === 4 || text.charCodeAt(at) !== DOT) return false;
    at += 1;
  }
}

// A zone is letters, digits, '-', '.' and ':' (interface names, and Windows' numbers); it may not be empty.
const ZONE = /^[0-9A-Za-z.:-]+$/;

// Groups of 16 bits before `end`; "::" stands for one or more zero groups, once; the last two may be written as a quad.
function isGroups(text: string, end: number): boolean {
  let groups = 0;
  let gap = false;
  let at = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON || end < 2) return false;
    gap = true;
    at = 2;
    if (at === end) return true;
  }
  for (;;) {
    const first = at;
    while (at < end && isHex(text.charCodeAt(at))) at += 1;
    if (at < end && text.charCodeAt(at) === DOT) {
      groups += 2;
      return isQuad(text, first, end) && (gap ? groups < 8 : groups === 8);
    }
    const length = at - first;
    if (length === 0 || length > 4) return false;
    groups += 1;
    if (at === end) return gap ? groups < 8 : groups === 8;
    if (groups === 8 || text.charCodeAt(at) !== COLON) return false;
    at += 1;
    if (at < end && text.charCodeAt(at) === COLON) {
      if (gap) return false;
      gap = true;
      at += 1;
      if (at === end) return groups < 8;
    }
  }
}

/**
 * Whether `input` is a dotted-decimal IPv4 address. Anything but a string is converted first.
 *
 * @throws TypeError for a Symbol, which has no text
 */
export function isIPv4(input: unknown): boolean {
  const text = `${input as string}`;
  return isQuad(text, 0, text.length);
}

/**
 * Whether `input` is an IPv6 address, with or without a zone (`fe80::1%eth0`). Anything but a string is converted first.
 *
 * @throws TypeError for a Symbol, which has no text
 */
export function isIPv6(input: unknown): boolean {
  const text = `${input as string}`;
  const percent = text.indexOf('%');
  if (percent === -1) return isGroups(text, text.length);
  return isGroups(text, percent) && ZONE.test(text.slice(percent + 1));
}

/**
 * 4 or 6 for an address of that version, 0 for any other input.
 *
 * @throws TypeError for a Symbol, which has no text
 */
export function isIP(input: unknown): 0 | 4 | 6 {
  if (isIPv4(input)) return 4;
  return isIPv6(input) ? 6 : 0;
}
