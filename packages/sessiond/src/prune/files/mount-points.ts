import { readFileSync } from 'node:fs'

/** The field of a line of `mountinfo` that says where it is mounted. */
const WHERE = 4

/**
 * Where something is mounted, as bytes in Latin-1. A folder of the same file system may be mounted as well, and then no
 * number tells that it lies elsewhere. Empty where the system does not say.
 */
export function readMountPoints(): ReadonlySet<string> {
  try {
    return parseMountInfo(readFileSync('/proc/self/mountinfo', 'latin1'))
  } catch {
    return new Set()
  }
}

export function parseMountInfo(text: string): ReadonlySet<string> {
  const points = new Set<string>()
  for (const line of text.split('\n')) {
    const where = line.split(' ')[WHERE]
    // Blanks and the like are written in octal.
    if (where !== undefined)
      points.add(where.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8))))
  }
  return points
}
