/** Bounds both sides keep. The host enforces them on whatever it reads; a runner should not try to exceed them. */
export const PROTOCOL_LIMITS = {
  /** Longest `content` of one row, in bytes of UTF-8 JSON. */
  contentBytes: 2 * 1024 * 1024,
  /** Longest `content` of a request, in bytes. */
  requestBytes: 64 * 1024,
  /** Requests of one session that the host takes within a minute; more are refused. */
  requestsPerMinute: 60,
  /** Answers a run is shown: the newest. */
  answers: 32,
  /** Longest text of an answer, in characters. */
  answerChars: 16 * 1024,
  /** Longest id, in characters. */
  idChars: 128,
  /** Longest error text in an acknowledgement, in characters; longer is cut. */
  errorChars: 4096,
  /** Longest tool name, in characters; longer is cut. */
  toolNameChars: 200,
  /** Tools in flight told at once. */
  openTools: 32,
  /** Longest `open_work`, in characters; a longer one counts as none. */
  openWorkChars: 64 * 1024,
  /** Rows of `session_state` kept. */
  stateRows: 256,
  /** Bytes of one `session_state` value. */
  stateValueBytes: 64 * 1024,
} as const
