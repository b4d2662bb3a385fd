import { createHash } from 'node:crypto'
import type { TreeEntry } from './walk-session.ts'

/**
 * What a tree was, in one text: any entry that comes, goes, is replaced, written to or renamed makes it another one. It
 * says nothing of the folder itself, which may be renamed.
 */
export class TreePrint {
  readonly #hash = createHash('sha256')

  add({ path, seen }: TreeEntry): void {
    // The time of the last change of an inode cannot be set back by whoever owns it.
    const { dev, ino, mode, size, nlink, mtimeNs, ctimeNs } = seen
    this.#hash.update(path).update(`\0${[dev, ino, mode, size, nlink, mtimeNs, ctimeNs].join(' ')}\0`)
  }

  toString(): string {
    return this.#hash.digest('hex')
  }
}
