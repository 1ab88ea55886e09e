// The module's settings. They are the process's, hence serial.
import test from 'ava';

import { node, ours } from './_helpers/implementations.js';

test.serial('the settings begin as those of node:net', (t) => {
  t.is(ours.getDefaultAutoSelectFamily(), node.getDefaultAutoSelectFamily());
  t.is(ours.getDefaultAutoSelectFamilyAttemptTimeout(), node.getDefaultAutoSelectFamilyAttemptTimeout());
});

test.serial('autoSelectFamily can be set, for ferronet alone', (t) => {
  const before = ours.getDefaultAutoSelectFamily();
  t.teardown(() => ours.setDefaultAutoSelectFamily(before));
  ours.setDefaultAutoSelectFamily(!before);
  t.is(ours.getDefaultAutoSelectFamily(), !before);
  t.is(node.getDefaultAutoSelectFamily(), before);
});

test.serial('an attempt is given 10 ms at least', (t) => {
  const before = ours.getDefaultAutoSelectFamilyAttemptTimeout();
  t.teardown(() => ours.setDefaultAutoSelectFamilyAttemptTimeout(before));
  ours.setDefaultAutoSelectFamilyAttemptTimeout(1);
  t.is(ours.getDefaultAutoSelectFamilyAttemptTimeout(), 10);
  ours.setDefaultAutoSelectFamilyAttemptTimeout(1234);
  t.is(ours.getDefaultAutoSelectFamilyAttemptTimeout(), 1234);
});
