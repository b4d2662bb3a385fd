/** Ends the names of suites that need a container engine, so that the reporter can name those left out. */
export const NEEDS_ENGINE = '[container engine]'
/** Ends the names of suites that need Python. */
export const NEEDS_PYTHON = '[python3]'
