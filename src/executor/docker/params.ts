/** Engine parameters of `type: docker` (deployment §1.4.4). Unknown keys are ignored: real files hold some. */

import { z } from 'zod'
import { argumentList, environmentList, plainText } from '../params.ts'
import { type ImageName, parseImageName } from './image.ts'

const environmentMap = z
  .record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected letters, digits and _'),
    z.union([plainText, z.number(), z.boolean()])
  )
  .transform(map => Object.entries(map).map(([name, value]) => `${name}=${value}`))

const dockerParams = z.object({
  image: z
    .string({ error: 'expected the name of an image' })
    .refine(
      text => parseImageName(text) !== undefined,
      "expected an image name such as 'nginx:1.27' or 'registry.example.org:5000/team/app'"
    ),
  entrypoint: argumentList.nullish(),
  cmd: argumentList.nullish(),
  /** Seen in real files; means the same as `cmd` and comes after it. */
  args: argumentList.nullish(),
  environment: z.union([environmentList, environmentMap]).nullish(),
  working_directory: plainText.startsWith('/', "expected an absolute path such as '/app'").nullish(),
  user: plainText
    .regex(/^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)?$/, "expected a user such as 'www-data' or '1000:1000'")
    .nullish(),
  privileged: z.boolean().nullish()
})

/** Parameters in the form the executor works with. */
export interface DockerParams {
  readonly image: ImageName
  /** Replaces the image's own when not empty. */
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly environment: readonly string[]
  readonly workingDirectory?: string
  readonly user?: string
  readonly privileged: boolean
}

export { dockerParams as dockerParamsSchema }

/** @throws ZodError when `validate` would have named a problem. */
export function readDockerParams(params: Readonly<Record<string, unknown>>): DockerParams {
  const value = dockerParams.parse(params)
  const image = parseImageName(value.image)
  if (image === undefined) throw new TypeError(`'${value.image}' is not an image name`) // the schema has checked it
  return {
    image,
    entrypoint: value.entrypoint ?? [],
    command: [...(value.cmd ?? []), ...(value.args ?? [])],
    environment: value.environment ?? [],
    ...(value.working_directory ? { workingDirectory: value.working_directory } : {}),
    ...(value.user ? { user: value.user } : {}),
    privileged: value.privileged ?? false
  }
}
