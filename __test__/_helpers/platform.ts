// What tests have to know of the system that runs them.

const onWindows = process.platform === 'win32';

/** Wine is not Windows. What is skipped by this says what Wine does differently. */
export const onWine: boolean = onWindows && 'WINELOADER' in process.env;

/** The kernel takes all of a write while it has room for some of it: nothing is left to wait, however much it was. */
export const takesWholeWrites: boolean = onWindows;
