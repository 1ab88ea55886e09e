// The door `ferronet/handover`.
'use strict';

const handover = require('./dist/doors/handover.js');

exports.adopt = handover.adopt;
exports.release = handover.release;
