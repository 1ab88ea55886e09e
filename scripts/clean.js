// Removes what the TypeScript builds wrote, so that no compiled file outlives its source.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

for (const folder of process.argv.slice(2)) {
  fs.rmSync(path.join(__dirname, '..', folder), { recursive: true, force: true });
}
