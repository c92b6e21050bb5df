/** Shares of the machine's RAM and VRAM an owner may offer (cli-api-config §7.3). */
export const MIN_MEMORY_SHARE = 0.1
/** Largest share of RAM and VRAM (cli-api-config §7.3). */
export const MAX_MEMORY_SHARE = 0.9

/** Smallest and largest offer of disk: one GiB, and a share of the disk (deployment §4.6). */
export const MIN_DISK_BYTES = 2 ** 30
/** Largest share of the disk (deployment §4.6). */
export const MAX_DISK_SHARE = 0.9

/** Start of every message about an offer that cannot be taken (cli-api-config §7.3). */
export const VALIDATION_PREFIX = 'could not validate onboarding prerequisites: '
