/** Costs and bounds of key files (§3.2). */

/** scrypt costs written: 256 MiB and about 0.75 s. Existing clients write the same. */
export const SCRYPT_N = 2 ** 18
export const SCRYPT_R = 8
export const SCRYPT_P = 1
/** 32 bytes for the cipher, 32 for the mac. */
export const DERIVED_LENGTH = 64
export const SALT_LENGTH = 64
export const IV_LENGTH = 16

/** Costs accepted from a file: a hostile file must not cost gigabytes or minutes. */
export const MAX_SCRYPT_N = 2 ** 20
/** Bytes of memory, 128 · N · r. */
export const MAX_SCRYPT_MEMORY = 2 ** 30
/** N · r · p, eight times what is written. */
export const MAX_SCRYPT_WORK = 2 ** 24
export const MAX_DERIVED_LENGTH = 128

/** A key file has about 700 bytes. */
export const MAX_KEY_FILE_LENGTH = 64 * 1024
