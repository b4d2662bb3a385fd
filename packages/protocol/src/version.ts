/** The protocol this package describes. Raised when an old reader would misread a new writer. */
export const PROTOCOL_VERSION = 1
