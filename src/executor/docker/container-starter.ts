/** The steps from a request to a created container: image, container, provision scripts. */

import type { AbortOptions, Clock } from '../../types/index.ts'
import { errorMessage, TimeLimitError } from '../../utils/index.ts'
import { ExecutorError } from '../errors.ts'
import type { ExecutionRequest, StartProgress } from '../types.ts'
import { PULL_IDLE_LIMIT_MS } from './constants.ts'
import { containerName, containerSpec } from './container-spec.ts'
import type { Engine, ImageFacts } from './engine.ts'
import { EngineAnswerError } from './engine-http.ts'
import type { ImageName } from './image.ts'
import type { DockerParams } from './params.ts'
import { provisionArchive } from './provision.ts'
import { PullProgress } from './pull-progress.ts'

export interface CreateOptions extends AbortOptions {
  readonly onProgress?: (progress: StartProgress) => void
}

export class ContainerStarter {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #ownerId: string

  constructor(deps: { engine: Engine; clock: Clock }, options: { ownerId: string }) {
    this.#engine = deps.engine
    this.#clock = deps.clock
    this.#ownerId = options.ownerId
  }

  /** Creates the container, fetching its image when it is not local. Removes it again when a later step fails. */
  async create(request: ExecutionRequest, params: DockerParams, options: CreateOptions): Promise<string> {
    const image = await this.#ensureImage(params.image, options)
    options.onProgress?.({ step: 'creating' })
    const id = await this.#createContainer(request, params, image)
    try {
      options.signal?.throwIfAborted()
      if (request.provisionScripts.length > 0) {
        await this.#engine.putArchive(id, provisionArchive(request.provisionScripts), options)
      }
      return id
    } catch (error) {
      await this.#engine.remove(id).catch(() => undefined) // the first error is the one to tell
      throw startError(error, params.image)
    }
  }

  /** Gives an error of the engine its meaning for the user. */
  async start(id: string, params: DockerParams, options: AbortOptions): Promise<void> {
    try {
      await this.#engine.start(id, options)
    } catch (error) {
      throw startError(error, params.image)
    }
  }

  async #createContainer(
    request: ExecutionRequest,
    params: DockerParams,
    image: ImageFacts
  ): Promise<string> {
    // Without the signal: a creation broken off may still succeed in the engine, and nobody would know its id.
    const spec = containerSpec(request, params, this.#ownerId, image)
    try {
      return await this.#engine.create(containerName(this.#ownerId, request), spec)
    } catch (error) {
      if (error instanceof EngineAnswerError && error.status === 409) {
        throw new ExecutorError(
          'EXECUTOR_START_FAILED',
          `execution '${request.executionId}' exists already`,
          { cause: error }
        )
      }
      throw startError(error, params.image)
    }
  }

  async #ensureImage(image: ImageName, options: CreateOptions): Promise<ImageFacts> {
    const local = await this.#engine.inspectImage(image.full, options)
    if (local !== undefined) return local
    await this.#pull(image, options)
    const pulled = await this.#engine.inspectImage(image.full, options)
    if (pulled === undefined) throw imageError(image, 'it was pulled, but is not there')
    return pulled
  }

  async #pull(image: ImageName, { signal, onProgress }: CreateOptions): Promise<void> {
    onProgress?.({ step: 'pulling', image: image.full })
    const progress = new PullProgress(fraction =>
      onProgress?.({ step: 'pulling', image: image.full, fraction })
    )
    using idle = new IdleLimit(this.#clock, PULL_IDLE_LIMIT_MS, `no data for image '${image.full}'`)
    const either = signal === undefined ? idle.signal : AbortSignal.any([signal, idle.signal])
    try {
      const response = await this.#engine.pull(image.repository, image.reference, { signal: either })
      for await (const chunk of response) {
        idle.touch()
        progress.push(chunk)
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (idle.signal.aborted)
        throw imageError(image, `nothing came for ${PULL_IDLE_LIMIT_MS / 1000} s`, error)
      if (error instanceof EngineAnswerError) throw imageError(image, error.message, error)
      throw this.#engine.streamError(error, either)
    }
    progress.end()
    if (progress.error !== undefined) throw imageError(image, progress.error)
  }
}

/** Fires when `touch` was not called for a while. */
class IdleLimit implements Disposable {
  readonly #clock: Clock
  readonly #ms: number
  readonly #what: string
  readonly #controller = new AbortController()
  #timer: { cancel(): void }

  constructor(clock: Clock, ms: number, what: string) {
    this.#clock = clock
    this.#ms = ms
    this.#what = what
    this.#timer = this.#arm()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  touch(): void {
    this.#timer.cancel()
    this.#timer = this.#arm()
  }

  [Symbol.dispose](): void {
    this.#timer.cancel()
  }

  #arm(): { cancel(): void } {
    return this.#clock.setTimer(this.#ms, () =>
      this.#controller.abort(new TimeLimitError(`${this.#what} for ${this.#ms} ms`))
    )
  }
}

function imageError(image: ImageName, reason: string, cause?: unknown): ExecutorError {
  return new ExecutorError(
    'EXECUTOR_IMAGE',
    `image '${image.full}' cannot be pulled: ${reason.replace(/\s+/g, ' ')}`,
    {
      cause,
      details: { image: image.full },
      hint: "check the image's name and tag, and that the provider reaches its registry; a local image is never pulled"
    }
  )
}

function startError(error: unknown, image: ImageName): unknown {
  if (!(error instanceof EngineAnswerError)) return error
  const message = errorMessage(error)
  return new ExecutorError(
    'EXECUTOR_START_FAILED',
    `container of image '${image.full}' cannot be started: ${message}`,
    {
      cause: error,
      details: { image: image.full, status: error.status },
      ...hintFor(message)
    }
  )
}

function hintFor(message: string): { hint?: string } {
  if (/port is already allocated|address already in use/.test(message))
    return { hint: 'choose another port, or end what listens on it' }
  if (/executable file not found|no such file or directory/.test(message))
    return { hint: "check 'entrypoint', 'cmd' and mounts" }
  if (/docker-init/.test(message)) return { hint: "install docker's init program (package 'tini')" }
  if (/No command specified/i.test(message)) return { hint: "give 'cmd' in the ensemble's execution" }
  if (/Range of CPUs/.test(message)) return { hint: 'ask for fewer cores' }
  return {}
}
