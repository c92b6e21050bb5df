import {
  KeyFormatError,
  type PrivateKey,
  privateKeyFromProtobuf,
  privateKeyFromSeed
} from '../../lib/crypto/index.ts'
import { didOf } from '../../lib/did/index.ts'
import { errorMessage, hexToBytes } from '../../utils/index.ts'
import type { Cli, Handler } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import { resolvePassphrase } from '../session/passphrase.ts'
import { loadSettings } from '../session/settings.ts'
import { readSecretLine } from '../session/standard-input.ts'
import type { KEY_NEW_FLAGS } from './flags.ts'
import { confirmName, saveKey } from './save-key.ts'

/** `nunet key import`: prints the DID. */
export const keyImportHandler: Handler<typeof KEY_NEW_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const [name = '', text = ''] = args
    const config = loadSettings(cli, globals)
    const key = await readPrivateKey(cli, name, text)
    const { mayReplace } = await confirmName(cli, globals, config, { name, force: flags.force })
    const passphrase = await resolvePassphrase(cli, globals, { key: name, isNew: true })
    await saveKey(cli, config, { name, key, mayReplace }, passphrase)
    cli.terminal.out(`${didOf(key.publicKey)}\n`)
    return 0
  }
}

/** Bytes of a raw seed of Ed25519; a key in libp2p form is longer. */
const SEED_LENGTH = 32

/**
 * A private key as a person gives it: hex of its libp2p form, or of a raw Ed25519 seed; `-` has it read from standard
 * input. No message repeats any of it. @throws CommandError
 */
export async function readPrivateKey(cli: Cli, name: string, text: string): Promise<PrivateKey> {
  const hex = text === '-' ? await readSecretLine(cli, `Private key for '${name}' as hex: `) : text
  try {
    const bytes = hexToBytes(hex.trim())
    return bytes.length === SEED_LENGTH ? privateKeyFromSeed(bytes) : privateKeyFromProtobuf(bytes)
  } catch (cause) {
    const reason = cause instanceof KeyFormatError ? errorMessage(cause) : 'it is not hexadecimal'
    throw new CommandError(`the private key cannot be read: ${reason}`, {
      hint: 'give the hex of a libp2p private key (08011240… or 08021220…), or of a raw Ed25519 seed of 32 bytes'
    })
  }
}
