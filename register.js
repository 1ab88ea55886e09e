// The door `ferronet/register`: `node --import ferronet/register app.js`.
'use strict';

require('./dist/entry/register.js');
