/** The configuration as the program uses it, complete and checked (cli-api-config §5.2). */
export interface Config {
  readonly general: {
    readonly env: string
    readonly user_dir: string
    readonly work_dir: string
    readonly data_dir: string
    readonly debug: boolean
    readonly host_city: string
    readonly host_country: string
    readonly host_continent: string
    readonly port_available_range_from: number
    readonly port_available_range_to: number
  }
  readonly rest: { readonly addr: string; readonly port: number }
  readonly p2p: {
    readonly listen_address: readonly string[]
    readonly bootstrap_peers: readonly string[]
    readonly memory: number
    readonly fd: number
  }
  readonly did: { readonly prism_resolver: string }
  readonly job: {
    readonly allow_privileged_docker: boolean
    readonly require_contracts_for_deployment: boolean
  }
  readonly executor: {
    readonly wasm: { readonly enabled: boolean }
    readonly docker: { readonly enabled: boolean; readonly socket: string }
  }
  readonly observability: {
    readonly logging: {
      readonly level: string
      readonly file: string
      readonly rotation: {
        readonly max_size_mb: number
        readonly max_backups: number
        readonly max_age_days: number
      }
    }
  }
  /** Every other key of the reference is accepted, kept and shown, and has no effect yet. */
  readonly [section: string]: unknown
}
