/** How many times longer than usual things may take until a test gives them up: a processor may be an emulated one. */
const PATIENCE = Number(process.env['FERRONET_TEST_PATIENCE'] ?? 1);

/** The longest that something may take which takes no longer than so many `milliseconds` on a real machine. */
export function atMost(milliseconds: number): number {
  return milliseconds * PATIENCE;
}
