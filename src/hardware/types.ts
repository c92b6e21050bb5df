/** What this machine has and uses (runtime §4). One file per fact beside this contract. */

import type { AbortOptions, Resources } from '../types/index.ts'

/** Reader of what this machine has and uses. */
export interface Hardware {
  /** Machine totals. CPU cores are logical CPUs, limited by the cgroup the daemon runs in, as are RAM bytes. */
  spec(options?: AbortOptions): Promise<Resources>
  /** What is in use now by anything on the machine. CPU cores may be a fraction. */
  usage(options?: AbortOptions): Promise<Resources>
  /** `spec` minus `usage`, never below zero. */
  free(options?: AbortOptions): Promise<Resources>
}
