/** The part of tar-stream 2 that is used here; the package brings no types. */
declare module 'tar-stream' {
  import type { Readable, Writable } from 'node:stream'

  export interface Header {
    readonly name: string
    readonly type: 'file' | 'directory' | 'symlink' | 'link'
    readonly mode: number
    readonly uid: number
    readonly gid: number
    readonly size: number
    readonly mtime: Date
    readonly linkname?: string
  }

  export interface Pack extends Readable {
    /** The content of a file is written to what is returned; `callback` comes when the entry is complete. */
    entry(header: Header, callback: (error?: Error | null) => void): Writable
    finalize(): void
  }

  export function pack(): Pack
}
