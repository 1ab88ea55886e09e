// Prints the milliseconds that the first `require` of an implementation takes.
const started = performance.now();
require(String(process.argv[2]));
const took = performance.now() - started;
process.stdout.write(`${JSON.stringify({ milliseconds: took })}\n`);
