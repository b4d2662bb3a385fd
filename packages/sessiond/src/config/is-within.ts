import { relative, sep } from 'node:path'

/** Tells whether `path` is `folder` or lies below it, by their names alone; both absolute. */
export function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`)
}
