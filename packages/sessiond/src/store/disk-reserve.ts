import { randomBytes } from 'node:crypto'
import { rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freeBytesOf } from '../disk-figures.ts'

const RESERVE_FILE = 'disk.reserve'
/** Opening a store and taking stock writes less. */
const RESERVE_BYTES = 1024 * 1024
/** It is made where as much again stays free, or it would be given up at once. */
const AMPLE_BYTES = 2 * RESERVE_BYTES

/** Whether some room of the disk is kept for the next start, or pruning, on a full disk. */
export function hasReserve(dataDir: string): boolean {
  return statSync(join(dataDir, RESERVE_FILE), { throwIfNoEntry: false })?.size === RESERVE_BYTES
}

/**
 * Keeps some room for the next start, or pruning, on a full disk: not even a store that is only read can be opened
 * without any. Does nothing where there is little left, and never throws: whoever needs room says so himself.
 */
export function makeReserve(dataDir: string): void {
  const path = join(dataDir, RESERVE_FILE)
  try {
    if (hasReserve(dataDir) || freeBytes(dataDir) < AMPLE_BYTES) return
    // Of bytes that no file system packs into less.
    writeFileSync(path, randomBytes(RESERVE_BYTES), { mode: 0o600 })
  } catch {
    // Half of one counts for none, and is made anew.
  }
}

/** Gives the room back where the disk has less than that left. For the holder of the directory alone. Never throws. */
export function giveUpReserve(dataDir: string): void {
  try {
    if (freeBytes(dataDir) < RESERVE_BYTES) rmSync(join(dataDir, RESERVE_FILE), { force: true })
  } catch {
    // A disk that cannot be asked is not known to be full.
  }
}

function freeBytes(dataDir: string): number {
  return freeBytesOf(statfsSync(dataDir))
}
