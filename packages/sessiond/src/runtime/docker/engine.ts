import Docker from 'dockerode'
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
  #docker: Docker | undefined

  constructor(options: EngineOptions) {
    this.#options = options
  }

  /** The driver; a malformed DOCKER_HOST throws here. */
  get docker(): Docker {
    // A socket of the configuration stands above DOCKER_HOST.
    const { socketPath } = this.#options
    this.#docker ??= new Docker(socketPath === null ? {} : ({ socketPath, host: undefined } as Docker.DockerOptions))
    return this.#docker
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
      return await Promise.race([ask(this.docker, timeout), timedOut])
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
}
