/** Image names: `[host[:port]/]path[:tag][@digest]` (distribution reference grammar; deployment §1.4.4). */

export interface ImageName {
  /** Without tag and digest. */
  readonly repository: string
  /** A tag, or a digest with its algorithm (`sha256:…`). */
  readonly reference: string
  /** In full, as the engine takes it. */
  readonly full: string
}

const DOMAIN =
  '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]{1,5})?/)'
const PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const NAME = new RegExp(
  `^(${DOMAIN}?${PART}(?:/${PART})*)(?::(\\w[\\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`
)
/** Longest name the distribution grammar allows. */
const MAX_NAME = 255

/**
 * Reads an image name; without tag or digest it means `latest`. A colon before the last slash belongs to a
 * registry's port, not to a tag. Undefined when it is no image name.
 */
export function parseImageName(text: string): ImageName | undefined {
  if (text.length > MAX_NAME + 200) return undefined // no work on absurd input; tag and digest fit in
  const match = NAME.exec(text)
  const repository = match?.[1]
  if (match === null || repository === undefined || repository.length > MAX_NAME) return undefined
  const [, , tag, digest] = match
  const reference = digest ?? tag ?? 'latest'
  return {
    repository,
    reference,
    full: digest === undefined ? `${repository}:${reference}` : `${repository}@${digest}`
  }
}
