import type Docker from 'dockerode'
import { engineError, statusOf } from './engine-errors.ts'

export interface EngineOptions {
  /** Null: DOCKER_HOST, else the engine's usual socket. */
  readonly socketPath: string | null
  readonly callTimeoutMs: number
}

/** One question to the engine; hands the signal to the driver wherever that takes one. */
export type EngineQuestion<T> = (docker: Docker, abortSignal: AbortSignal) => Promise<T>

/** The connection to a container engine: Docker's, or Podman's through the same API. Contacts nobody until used. */
export class Engine {
  readonly #options: EngineOptions
  #docker: Promise<Docker> | undefined

  constructor(options: EngineOptions) {
    this.#options = options
  }

  /**
   * Makes one call, bounded in time whatever the engine does. `toDo` completes "the engine could not be asked to".
   * The driver's errors come out translated, unless `translate` knows better.
   */
  async call<T>(
    toDo: string,
    ask: EngineQuestion<T>,
    translate: (error: unknown) => Error | undefined = () => undefined,
  ): Promise<T> {
    const timeout = AbortSignal.timeout(this.#options.callTimeoutMs)
    const { promise: timedOut, reject } = Promise.withResolvers<never>()
    const onTimeout = () => reject(timeout.reason)
    timeout.addEventListener('abort', onTimeout, { once: true })
    try {
      // The driver aborts a request; the race also bounds what it does around it.
      this.#docker ??= this.#load()
      return await Promise.race([this.#docker.then((docker) => ask(docker, timeout)), timedOut])
    } catch (error) {
      throw translate(error) ?? engineError(error, toDo)
    } finally {
      timeout.removeEventListener('abort', onTimeout)
    }
  }

  /** Makes one call to which these statuses are answers, told as undefined, and no errors. */
  askExpecting<T>(toDo: string, statuses: readonly number[], ask: EngineQuestion<T>): Promise<T | undefined> {
    return this.call<T | undefined>(toDo, async (docker, abortSignal) => {
      try {
        return await ask(docker, abortSignal)
      } catch (error) {
        if (statuses.includes(statusOf(error) ?? 0)) return undefined
        throw error
      }
    })
  }

  /** Loads the driver on first use: it is large, and hosts of processes alone never need it. */
  async #load(): Promise<Docker> {
    const { default: Driver } = await import('dockerode')
    // A socket of the configuration stands above DOCKER_HOST; a malformed one throws here.
    const { socketPath } = this.#options
    return new Driver(socketPath === null ? {} : ({ socketPath, host: undefined } as Docker.DockerOptions))
  }
}
