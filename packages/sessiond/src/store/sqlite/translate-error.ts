import { statfsSync } from 'node:fs'
import { freeBytesOf } from '../../disk-figures.ts'
import { type ErrorCode, SessiondError } from '../../model/errors.ts'

/** Primary result codes of SQLite (the low byte of an extended one) that mean something to people. */
const BY_RESULT_CODE: Readonly<Record<number, ErrorCode>> = {
  3: 'DATA_DIR_UNUSABLE', // PERM
  5: 'STORE_BUSY', // BUSY
  6: 'STORE_BUSY', // LOCKED
  8: 'DATA_DIR_UNUSABLE', // READONLY
  10: 'STORE_BROKEN', // IOERR, unless the disk is full
  11: 'STORE_BROKEN', // CORRUPT
  13: 'DISK_FULL', // FULL
  14: 'DATA_DIR_UNUSABLE', // CANTOPEN
  23: 'DATA_DIR_UNUSABLE', // AUTH
  26: 'STORE_BROKEN', // NOTADB
}

const BY_ERRNO: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EACCES: 'DATA_DIR_UNUSABLE',
  EPERM: 'DATA_DIR_UNUSABLE',
  EROFS: 'DATA_DIR_UNUSABLE',
  ENOENT: 'DATA_DIR_UNUSABLE',
  ENOTDIR: 'DATA_DIR_UNUSABLE',
  EISDIR: 'DATA_DIR_UNUSABLE',
  EEXIST: 'DATA_DIR_UNUSABLE',
  ELOOP: 'DATA_DIR_UNUSABLE',
  ENAMETOOLONG: 'DATA_DIR_UNUSABLE',
  ERR_INVALID_ARG_VALUE: 'DATA_DIR_UNUSABLE',
}

const WHAT: Partial<Record<ErrorCode, string>> = {
  DISK_FULL: 'The disk that holds the data directory is full.',
  STORE_BUSY: 'The store is in use by another program.',
  STORE_BROKEN: 'The store cannot be read or written.',
  DATA_DIR_UNUSABLE: 'The data directory cannot be used.',
}

const IOERR = 10
/** Below this much free space an I/O error of SQLite is the disk's being full: it reports some of them no better. */
const FULL_BELOW_BYTES = 256 * 1024

/**
 * Turns what SQLite or the file system threw into a SessiondError. Anything else, a violated constraint for one, is
 * a bug of ours and is given back as it is.
 */
export function translateError(error: unknown, dataDir: string): unknown {
  const code = codeOf(error, dataDir)
  if (code === undefined) return error
  const words = error instanceof Error ? error.message : String(error)
  return new SessiondError(code, `${WHAT[code] ?? code} (${words})`, { fields: { dataDir }, cause: error })
}

function codeOf(error: unknown, dataDir: string): ErrorCode | undefined {
  if (typeof error !== 'object' || error === null || error instanceof SessiondError) return undefined
  if ('errcode' in error && typeof error.errcode === 'number') {
    const primary = error.errcode & 0xff
    return primary === IOERR && isDiskFull(dataDir) ? 'DISK_FULL' : BY_RESULT_CODE[primary]
  }
  return 'code' in error && typeof error.code === 'string' ? BY_ERRNO[error.code] : undefined
}

function isDiskFull(dataDir: string): boolean {
  try {
    return freeBytesOf(statfsSync(dataDir)) < FULL_BELOW_BYTES
  } catch {
    // The directory cannot even be asked; then it is not known to be full, and the I/O error stands.
    return false
  }
}
