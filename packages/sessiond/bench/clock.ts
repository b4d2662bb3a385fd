/** The machine's monotonic clock in ms: the same in every process, so that two of them can measure one way. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
