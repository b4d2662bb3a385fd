/** More than this of one session's directory is for a person to put away. */
export interface ArchiveLimits {
  readonly entries: number
  /** Lengths of its files together, holes included: they are read through. */
  readonly bytes: number
  readonly depth: number
}

export type ArchiveRequest =
  /** Says what is there of a session's directory, and takes back a removal that was not decided. */
  | { readonly kind: 'recover'; readonly parent: string; readonly name: string; readonly isArchived: boolean }
  /** Packs `<parent>/<name>` and puts the archive in its place when all of it is on the disk. */
  | {
      readonly kind: 'pack'
      readonly parent: string
      readonly name: string
      readonly archive: string
      readonly limits: ArchiveLimits
    }
  /** Removes `<parent>/<name>` if it still is what was packed; `print` null: what is left of a removal begun before. */
  | {
      readonly kind: 'remove'
      readonly parent: string
      readonly name: string
      readonly print: string | null
      readonly limits: ArchiveLimits
    }
  /** The answer to `progress`: without it nothing more is done. */
  | { readonly kind: 'go-on' }

/**
 * Why a directory cannot be put away. `too-big`, `too-many`, `too-deep`: beyond the limits. `unreadable`: something in
 * it cannot be read, or it is no folder. `elsewhere`: another file system lies in it. `changed`: something wrote to it.
 * `two-folders`: there is a half removed one beside it.
 */
export type Refusal = 'too-big' | 'too-many' | 'too-deep' | 'unreadable' | 'elsewhere' | 'changed' | 'two-folders'

export type ArchiveAnswer =
  | { readonly kind: 'ready' }
  /** Some more has been read, or removed. */
  | { readonly kind: 'progress' }
  | { readonly kind: 'found'; readonly what: 'directory' | 'leftover' | 'nothing' }
  | {
      readonly kind: 'packed'
      /** What the whole tree was when it was packed. */
      readonly print: string
      readonly entries: number
      /** What the directory takes of the disk. */
      readonly bytes: number
      /** What no archive holds: FIFOs, sockets, devices; the first few by their path. */
      readonly skipped: { readonly count: number; readonly paths: readonly string[] }
    }
  | { readonly kind: 'removed' }
  | { readonly kind: 'refused'; readonly because: Refusal; readonly path: string | null }
  | { readonly kind: 'no-room' }
