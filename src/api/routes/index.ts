import { openApiDocument } from '../openapi.ts'
import type { Route } from '../types.ts'
import { actorRoutes } from './actor.ts'

const health: Route = {
  method: 'GET',
  path: '/health',
  id: 'getHealth',
  summary: 'Whether the node is up',
  response: { type: 'object', required: ['status'], properties: { status: { const: 'ok' } } },
  handle: () => JSON.stringify({ status: 'ok' })
}

const openApi: Route = {
  method: 'GET',
  path: '/api/v1/openapi.json',
  id: 'getOpenApi',
  summary: 'This document',
  response: { type: 'object' },
  handle: () => JSON.stringify(openApiDocument(ROUTES))
}

/** All routes of the server. */
export const ROUTES: readonly Route[] = [health, ...actorRoutes, openApi]
