/**
 * The ensemble structure as it travels (deployment §1.2): what a client makes of an ensemble file and sends in
 * `/dms/node/deployment/new` as `{"Ensemble":{"v1":…}}`. Member names are the wire names. `schema.ts` holds the
 * tolerant reader for structures made by other programs; `parse.ts` the strict reader for files.
 */

import type { Resources } from '../../types/index.ts'

/** The wrapper that travels: the version is the member name. */
export interface Ensemble {
  readonly v1: EnsembleV1
}

/** What a user wants to run. */
export interface EnsembleV1 {
  readonly allocations: Readonly<Record<string, AllocationSpec>>
  readonly nodes: Readonly<Record<string, NodeSpec>>
  readonly edges?: readonly EdgeSpec[] | undefined
  readonly supervisor?: SupervisorSpec | undefined
  readonly keys?: Readonly<Record<string, string>> | undefined
  /** Base64 on the wire. */
  readonly scripts?: Readonly<Record<string, string>> | undefined
  readonly escalation_strategy?: string | undefined
  readonly subnet?: { readonly join: boolean } | undefined
  readonly exclude_peers?: readonly string[] | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly contracts?: Readonly<Record<string, unknown>> | undefined
}

/** A task ends by itself; a service runs until it is shut down. */
export type AllocationType = 'service' | 'task'
/** What is restarted when an allocation fails: nothing, it, all of them, or it and those after it. */
export type AllocationRecovery = 'stay_down' | 'one_for_one' | 'one_for_all' | 'rest_for_one'
/** What happens when a whole node fails. */
export type NodeRecovery = 'stay_down' | 'restart' | 'redeploy'

/** One workload: what runs, with which resources, by which executor. */
export interface AllocationSpec {
  readonly executor: string
  readonly type: AllocationType
  readonly resources: Resources
  readonly execution: ExecutionSpec
  /** Name other allocations use, without `.internal`. Default: the allocation name. */
  readonly dns_name: string
  readonly keys?: readonly unknown[] | undefined
  /** Names of `scripts`, in order. */
  readonly provision?: readonly string[] | undefined
  readonly healthcheck?: HealthCheckSpec | undefined
  readonly volume?: readonly unknown[] | undefined
  readonly failure_recovery: AllocationRecovery
  /** Allocations of the same node that must be started before. */
  readonly depends_on?: readonly string[] | undefined
}

/** The executor's own parameters. */
export interface ExecutionSpec {
  readonly type: string
  readonly params: Readonly<Record<string, unknown>>
}

/** A question whose answer tells whether a service works. */
export interface HealthCheckSpec {
  readonly type: 'command' | 'http'
  readonly exec?: readonly string[] | undefined
  readonly endpoint?: string | undefined
  readonly response?: { readonly type: string; readonly value: string } | undefined
  /** Nanoseconds. */
  readonly interval?: number | undefined
}

/** A place for allocations that becomes one machine of the network. */
export interface NodeSpec {
  readonly allocations: readonly string[]
  readonly ports?: readonly PortSpec[] | undefined
  readonly location?: LocationConstraints | undefined
  readonly peer?: string | undefined
  readonly redundancy: number
  readonly failure_recovery: NodeRecovery
}

/** A published port: TCP of the provider to TCP of the workload. */
export interface PortSpec {
  /** 0: the provider chooses. */
  readonly public: number
  readonly private: number
  readonly allocation: string
}

/** A place on earth or in the network; absent members match everything. */
export interface LocationSpec {
  readonly continent?: string | undefined
  readonly country?: string | undefined
  readonly city?: string | undefined
  readonly asn?: number | undefined
  readonly isp?: string | undefined
}

/** Where a node may be: any of `accept`, or else none of `reject`. */
export interface LocationConstraints {
  readonly accept?: readonly LocationSpec[] | undefined
  readonly reject?: readonly LocationSpec[] | undefined
}

/** A demand on the connection between two nodes. */
export interface EdgeSpec {
  readonly S: string
  readonly T: string
  /** Milliseconds; 0 is no limit. */
  readonly rtt: number
  /** 0 is no limit. */
  readonly bw: number
}

/** A tree of recovery strategies. */
export interface SupervisorSpec {
  readonly strategy?: string | undefined
  readonly allocations?: readonly string[] | undefined
  readonly children?: readonly SupervisorSpec[] | undefined
}
