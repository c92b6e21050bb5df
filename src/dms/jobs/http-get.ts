import { get } from 'node:http'
import type { HttpGet } from './types.ts'

/** A plain GET to this machine: no redirects, no proxy, a bounded body. */
export const httpGet: HttpGet = (request, { signal }) =>
  new Promise((resolve, reject) => {
    const { port, path, maxBytes } = request
    const call = get({ host: '127.0.0.1', port, path, signal, agent: false }, response => {
      const chunks: Buffer[] = []
      let length = 0
      response.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length <= maxBytes) return void chunks.push(chunk)
        // Before `destroy`: the end of the answer may already be waiting behind this chunk.
        reject(new Error(`the answer is longer than ${maxBytes} bytes`))
        call.destroy()
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') })
      )
      response.on('error', reject)
    })
    call.on('error', reject)
  })
