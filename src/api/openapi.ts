import { ref, SCHEMAS } from './schemas.ts'
import type { Route } from './types.ts'

/** The OpenAPI 3.1 document of some routes. `docs/openapi.json` holds it; a test keeps that current. */
export function openApiDocument(routes: readonly Route[]): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) }
  return {
    openapi: '3.1.0',
    info: {
      title: 'NuNet Device Management Service',
      version: '1',
      description:
        'Bridge between programs and the actors of the network. Messages carry their own signatures and capabilities.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' }
    },
    servers: [{ url: 'http://127.0.0.1:9999' }],
    paths,
    components: { schemas: SCHEMAS }
  }
}

function operation(route: Route): Record<string, unknown> {
  const errors = Object.entries({ 403: 'the Host or Origin is not local', ...route.errors })
  return {
    operationId: route.id,
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...(route.request === undefined
      ? {}
      : { requestBody: { required: true, content: json(ref(route.request)) } }),
    responses: {
      200: { description: 'done', content: json(route.response) },
      ...Object.fromEntries(
        errors.map(([status, description]) => [status, { description, content: json(ref('Error')) }])
      )
    }
  }
}

function json(schema: unknown): Record<string, unknown> {
  return { 'application/json': { schema } }
}
