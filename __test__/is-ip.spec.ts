// isIP, isIPv4, isIPv6: Node's answer for every text there is.
import test from 'ava';

import { node, ours } from './_helpers/implementations.js';

const V4 = '0.0.0.0 127.0.0.1 255.255.255.255 1.2.3.4'.split(' ');
const V6 = (
  ':: ::1 1:: 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8 2001:DB8::ff00:42:8329 ' +
  '::1.2.3.4 ::ffff:1.2.3.4 1:2:3:4:5:6:1.2.3.4 1:2:3:4:5::1.2.3.4 1::5:1.2.3.4 ' +
  'fe80::1%eth0 fe80::1%1 ::%a-b.c:d ::1.2.3.4%en0'
).split(' ');
const NEITHER = (
  'localhost 1.2.3 1.2.3.4.5 256.1.1.1 1.2.3.04 127.000.000.001 0x7f.1.1.1 1.2.3. .1.2.3 1..2.3 1.2.3.4%eth0 ' +
  '+1.2.3.4 １.2.3.4 : ::: 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 1::2::3 12345:: g:: ::1: :1:: 1:2:3:4:5:6:7:8:: ' +
  '::1.2.3 1.2.3.4:: ::1.2.3.4:5 1:2:3:4:5:6:7:1.2.3.4 ::256.1.1.1 1:2:3:4:5:6::1.2.3.4 ' +
  'fe80::1% ::%%1 ::%é [::1] ::1/64 ::1%eth0%1'
)
  .split(' ')
  .concat('', ' ', '1.2.3.4 ', ' 1.2.3.4', '1.2.3.4\n', '::1\n', '::%a b');

test('addresses', (t) => {
  for (const [texts, version] of [[V4, 4] as const, [V6, 6] as const, [NEITHER, 0] as const]) {
    for (const text of texts) {
      t.is(ours.isIP(text), version, JSON.stringify(text));
      t.is(ours.isIPv4(text), version === 4, JSON.stringify(text));
      t.is(ours.isIPv6(text), version === 6, JSON.stringify(text));
    }
  }
});

test('what is no text is made one', (t) => {
  const inputs = [undefined, null, 1, 1.2, true, {}, [], ['1.2.3.4'], ['::1', '::1'], { toString: () => '::1' }];
  for (const input of inputs as unknown as string[]) {
    t.is(ours.isIP(input), node.isIP(input));
    t.is(ours.isIPv4(input), node.isIPv4(input));
    t.is(ours.isIPv6(input), node.isIPv6(input));
  }
});

// xorshift32: the same texts in every run.
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

test('mutations of addresses get the same answer from node:net', (t) => {
  const random = generator(0x5eed);
  const known = [...V4, ...V6, ...NEITHER.filter((text) => text !== '')];
  const letters = '0123456789abcdefAFgG:.%- \n\0é:::...';
  const pick = <T>(list: ArrayLike<T>): T => list[random(list.length)] as T;
  const found = { 0: 0, 4: 0, 6: 0 };
  for (let round = 0; round < 50_000; round += 1) {
    let text = pick(known);
    for (let changes = random(3); changes >= 0; changes -= 1) {
      const at = random(text.length + 1);
      const rest = text.slice(at + random(2));
      text = text.slice(0, at) + (random(3) === 0 ? pick(known).slice(random(4)) : pick(letters)) + rest;
      const answer = node.isIP(text) as 0 | 4 | 6;
      found[answer] += 1;
      if (ours.isIP(text) !== answer) t.fail(`${JSON.stringify(text)} is ${answer} to Node, not ${ours.isIP(text)}`);
    }
  }
  // Texts of every kind have come up.
  t.true(found[4] > 500 && found[6] > 500 && found[0] > 500, JSON.stringify(found));
});
