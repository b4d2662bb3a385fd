import { decideDisk } from '../decide/decide-disk.ts'
import type { Store } from '../store/store.ts'
import type { World } from '../world.ts'
import type { DiskSpace } from './disk-space.ts'

/** Whether the disk has room for new work, with the figures that says so. */
export interface DiskRoom {
  readonly isLow: boolean
  /** Null: the disk cannot be asked. */
  readonly freeBytes: number | null
  readonly floorBytes: number
  /** So much must be free for new work to begin. */
  readonly wantedBytes: number
}

export interface DiskFloorOptions {
  readonly world: World
  readonly store: Pick<Store, 'isDiskLow' | 'recordDisk'>
  readonly diskSpace: Pick<DiskSpace, 'freeBytes'>
  readonly floorBytes: number
  readonly onError: (error: unknown) => void
}

/**
 * The disk floor: below it nothing new begins. That it has been reached, and that it is passed again, is put on record
 * once each, however often it is looked at and however often the host starts meanwhile.
 */
export class DiskFloor {
  readonly #options: DiskFloorOptions
  #isLow: boolean
  #recording: Promise<void> | null = null

  /** Goes on from what an earlier host put on record. */
  static async open(options: DiskFloorOptions): Promise<DiskFloor> {
    return new DiskFloor(options, await options.store.isDiskLow())
  }

  private constructor(options: DiskFloorOptions, isLow: boolean) {
    this.#options = options
    this.#isLow = isLow
  }

  /** Looks, and puts on record what has changed. A record that finds no room itself is made at a later look. */
  async look(): Promise<DiskRoom> {
    const { freeBytes, note, ...room } = await this.#decide()
    if (note !== null) {
      this.#recording ??= this.#record(note === 'low', freeBytes, room.wantedBytes).finally(() => {
        this.#recording = null
      })
      await this.#recording
    }
    return { freeBytes, ...room }
  }

  /** Looks, changing nothing: for dry runs and explanations. */
  async read(): Promise<DiskRoom> {
    const { note: _, ...room } = await this.#decide()
    return room
  }

  async #decide() {
    const { floorBytes, diskSpace } = this.#options
    const freeBytes = await diskSpace.freeBytes()
    return { freeBytes, floorBytes, ...decideDisk({ isLow: this.#isLow, freeBytes, floorBytes }) }
  }

  async #record(isLow: boolean, freeBytes: number | null, wantedBytes: number): Promise<void> {
    const { store, world, floorBytes, onError } = this.#options
    try {
      await store.recordDisk({ isLow, detail: { freeBytes, floorBytes, wantedBytes } }, world.now())
      this.#isLow = isLow
    } catch (error) {
      onError(error)
    }
  }
}
