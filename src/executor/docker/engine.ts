/**
 * The calls of the Docker Engine API we use, typed, with the API version negotiated. Every answer is checked
 * here; a container that is not there is `undefined`, or false, where callers expect that.
 */

import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import type { AbortOptions } from '../../types/index.ts'
import { ExecutorError } from '../errors.ts'
import { LABEL_OWNER, NEWEST_API, OLDEST_API, PING_LIMIT_MS, SLOW_CALL_LIMIT_MS } from './constants.ts'
import { EngineAnswerError, type EngineHttp, type ShortCallOptions } from './engine-http.ts'

const versionAnswer = z.object({
  Version: z.string(),
  ApiVersion: z.string(),
  MinAPIVersion: z.string().optional()
})
const imageAnswer = z.object({
  Id: z.string(),
  Config: z
    .object({ Entrypoint: z.array(z.string()).nullish(), Cmd: z.array(z.string()).nullish() })
    .nullish()
})
const containerAnswer = z.object({
  Id: z.string(),
  State: z.object({
    Status: z.string(),
    ExitCode: z.number(),
    OOMKilled: z.boolean(),
    Error: z.string(),
    StartedAt: z.string(),
    FinishedAt: z.string()
  }),
  Config: z.object({ StopSignal: z.string().optional(), Labels: z.record(z.string(), z.string()).nullish() }),
  HostConfig: z.object({ Memory: z.number().optional() })
})
const createAnswer = z.object({ Id: z.string() })
const waitAnswer = z.object({ StatusCode: z.number() })
const listAnswer = z.array(z.object({ Id: z.string(), Labels: z.record(z.string(), z.string()).nullish() }))
const execAnswer = z.object({ ExitCode: z.number().nullish() })

export type ContainerFacts = z.infer<typeof containerAnswer>
export type ImageFacts = z.infer<typeof imageAnswer>

export interface EngineVersion {
  readonly engine: string
  readonly api: string
}

export class Engine {
  readonly #http: EngineHttp
  #version: Promise<EngineVersion> | undefined

  constructor(http: EngineHttp) {
    this.#http = http
  }

  /** Asks the engine for its version anew, and settles which API version both sides speak. */
  async fetchVersion(options: AbortOptions = {}): Promise<EngineVersion> {
    const answer = versionAnswer.parse(
      await this.#http.json('GET', '/version', { ...options, limitMs: PING_LIMIT_MS })
    )
    const version = {
      engine: answer.Version,
      api: negotiate(answer.Version, answer.ApiVersion, answer.MinAPIVersion)
    }
    this.#version = Promise.resolve(version)
    return version
  }

  async inspectImage(name: string, options: AbortOptions = {}): Promise<ImageFacts | undefined> {
    // Slashes stay: the engine's router takes names with slashes, and our names hold nothing that needs escaping.
    return await this.#find(imageAnswer, `/images/${name}/json`, options)
  }

  /** Starts a pull; the answer is a stream of progress messages. */
  async pull(repository: string, reference: string, options: AbortOptions = {}): Promise<IncomingMessage> {
    const query = { fromImage: repository, tag: reference }
    return await this.#http.open('POST', await this.#path('/images/create', options), { ...options, query })
  }

  async create(name: string, body: unknown, options: AbortOptions = {}): Promise<string> {
    const answer = await this.#slow('POST', '/containers/create', { ...options, query: { name }, body })
    return createAnswer.parse(answer).Id
  }

  async start(id: string, options: AbortOptions = {}): Promise<void> {
    await this.#slow('POST', `/containers/${id}/start`, options)
  }

  /**
   * Resolves when the engine watches for the end of the container (it sends the head of its answer then), with
   * a function that resolves with the exit code.
   */
  async armWait(
    id: string,
    condition: 'next-exit' | 'not-running' | 'removed',
    options: AbortOptions = {}
  ): Promise<() => Promise<number>> {
    const path = await this.#path(`/containers/${id}/wait`, options)
    const response = await this.#http.open('POST', path, { ...options, query: { condition } })
    const body = this.#readAll(response, options.signal)
    body.catch(() => undefined) // awaited by the caller, maybe later
    return async () => waitAnswer.parse(JSON.parse(await body)).StatusCode
  }

  async inspect(id: string, options: AbortOptions = {}): Promise<ContainerFacts | undefined> {
    return await this.#find(containerAnswer, `/containers/${encodeURIComponent(id)}/json`, options)
  }

  /** The container's output in multiplexed form, from its beginning. */
  async logs(id: string, follow: boolean, options: AbortOptions = {}): Promise<IncomingMessage> {
    const query = { stdout: '1', stderr: '1', ...(follow ? { follow: '1' } : {}) }
    return await this.#http.open('GET', await this.#path(`/containers/${id}/logs`, options), {
      ...options,
      query
    })
  }

  /** Sends a signal. False when the container does not run or is not there. */
  async kill(id: string, signalName: string, options: AbortOptions = {}): Promise<boolean> {
    const query = { signal: signalName }
    return await this.#unlessStatus([404, 409], () =>
      this.#slow('POST', `/containers/${id}/kill`, { ...options, query })
    )
  }

  /** Removes a container, killing it, with its anonymous volumes. False when it is not there, or is being removed. */
  async remove(id: string, options: AbortOptions = {}): Promise<boolean> {
    const query = { force: '1', v: '1' }
    return await this.#unlessStatus([404, 409], () =>
      this.#slow('DELETE', `/containers/${id}`, { ...options, query })
    )
  }

  /** Labels of all containers of an owner, running or not. */
  async list(ownerId: string, options: AbortOptions = {}): Promise<Readonly<Record<string, string>>[]> {
    const query = { all: '1', filters: JSON.stringify({ label: [`${LABEL_OWNER}=${ownerId}`] }) }
    const answer = await this.#http.json('GET', await this.#path('/containers/json', options), {
      ...options,
      query
    })
    return listAnswer.parse(answer).map(container => container.Labels ?? {})
  }

  /** Resource use as the engine tells it, one sample without waiting for a second one. */
  async stats(id: string, options: AbortOptions = {}): Promise<unknown> {
    const query = { stream: 'false', 'one-shot': 'true' }
    return await this.#http.json('GET', await this.#path(`/containers/${id}/stats`, options), {
      ...options,
      query
    })
  }

  /** Unpacks a tar archive into the root of a container's file system. */
  async putArchive(id: string, tar: Uint8Array, options: AbortOptions = {}): Promise<void> {
    const path = await this.#path(`/containers/${id}/archive`, options)
    await this.#http.bytes('PUT', path, { ...options, query: { path: '/' }, body: tar })
  }

  /** A tar archive of one path of a container; undefined when there is none. */
  async getArchive(id: string, path: string, options: AbortOptions = {}): Promise<Buffer | undefined> {
    const call = await this.#path(`/containers/${id}/archive`, options)
    let archive: Buffer | undefined
    await this.#unlessStatus([404], async () => {
      archive = await this.#http.bytes('GET', call, { ...options, query: { path } })
    })
    return archive
  }

  /** Runs a command in a running container: its id, and its output in multiplexed form. */
  async exec(
    id: string,
    command: readonly string[],
    options: AbortOptions = {}
  ): Promise<{ id: string; output: IncomingMessage }> {
    const body = { AttachStdout: true, AttachStderr: true, Cmd: command }
    const created = await this.#http.json('POST', await this.#path(`/containers/${id}/exec`, options), {
      ...options,
      body
    })
    const execId = createAnswer.parse(created).Id
    const path = await this.#path(`/exec/${execId}/start`, options)
    return {
      id: execId,
      output: await this.#http.open('POST', path, { ...options, body: { Detach: false, Tty: false } })
    }
  }

  async execExitCode(execId: string, options: AbortOptions = {}): Promise<number> {
    const answer = await this.#http.json('GET', await this.#path(`/exec/${execId}/json`, options), options)
    return execAnswer.parse(answer).ExitCode ?? -1
  }

  /** Gives a failure while reading a stream of this engine its meaning. */
  streamError(error: unknown, signal: AbortSignal | undefined): unknown {
    return this.#http.translateStreamError(error, signal)
  }

  async #path(path: string, options: AbortOptions): Promise<string> {
    const { api } = await (this.#version ?? this.fetchVersion(options))
    return `/v${api}${path}`
  }

  async #slow(method: string, path: string, options: ShortCallOptions): Promise<unknown> {
    return await this.#http.json(method, await this.#path(path, options), {
      limitMs: SLOW_CALL_LIMIT_MS,
      ...options
    })
  }

  async #find<T>(schema: z.ZodType<T>, path: string, options: AbortOptions): Promise<T | undefined> {
    try {
      return schema.parse(await this.#http.json('GET', await this.#path(path, options), options))
    } catch (error) {
      if (error instanceof EngineAnswerError && error.status === 404) return undefined
      throw error
    }
  }

  async #unlessStatus(statuses: readonly number[], call: () => Promise<unknown>): Promise<boolean> {
    try {
      await call()
      return true
    } catch (error) {
      if (error instanceof EngineAnswerError && statuses.includes(error.status)) return false
      throw error
    }
  }

  async #readAll(response: IncomingMessage, signal: AbortSignal | undefined): Promise<string> {
    let text = ''
    try {
      for await (const part of response) text += String(part).slice(0, 65_536) // the answer has some 40 bytes
      JSON.parse(text) // an engine that goes down ends the answer without a word
      return text
    } catch (error) {
      throw this.#http.translateStreamError(error, signal)
    }
  }
}

/** The newest version both sides speak (Docker Engine API, "Versioning"). */
function negotiate(engine: string, newest: string, oldest: string | undefined): string {
  if (compareVersions(newest, OLDEST_API) < 0) {
    throw new ExecutorError(
      'EXECUTOR_UNAVAILABLE',
      `docker ${engine} is too old: its API is ${newest}, expected ${OLDEST_API} or newer`,
      {
        hint: 'install docker 20.10 or newer'
      }
    )
  }
  const shared = compareVersions(newest, NEWEST_API) < 0 ? newest : NEWEST_API
  return oldest !== undefined && compareVersions(shared, oldest) < 0 ? oldest : shared
}

function compareVersions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number)
  const [majorB = 0, minorB = 0] = b.split('.').map(Number)
  return majorA - majorB || minorA - minorB
}
