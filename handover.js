// The door `ferronet/handover`.
'use strict';

const handover = require('./dist/entry/handover.js');

exports.adopt = handover.adopt;
exports.release = handover.release;
