import { NuError, type NuErrorOptions } from '../../utils/index.ts'

/** Codes of `DeploymentError`. */
export type DeploymentErrorCode =
  /** No deployment of that id on this node. */
  | 'DEPLOYMENT_UNKNOWN'
  /** The deployment is not in a state that allows it. */
  | 'DEPLOYMENT_STATE'
  /** No allocation of that name in the deployment. */
  | 'DEPLOYMENT_ALLOCATION_UNKNOWN'
  /** Too little time to deploy, or too many deployments in progress. */
  | 'DEPLOYMENT_REFUSED'
  /** Logs could not be had from the provider. */
  | 'DEPLOYMENT_LOGS'

/** A question about a deployment, or an order to it, that cannot be carried out. */
export class DeploymentError extends NuError {
  override readonly name = 'DeploymentError'
  readonly code: DeploymentErrorCode

  constructor(code: DeploymentErrorCode, message: string, options: NuErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}

/** Abort reason: the user wants the deployment gone; what it holds at providers is given back. */
export class ShutdownRequestedError extends NuError {
  override readonly name = 'ShutdownRequestedError'
  readonly code = 'DEPLOYMENT_SHUTDOWN'

  constructor() {
    super('the deployment is being shut down')
  }
}

/** Abort reason: the daemon stops and goes on later; nothing is given back. */
export class SuspendedError extends NuError {
  override readonly name = 'SuspendedError'
  readonly code = 'DEPLOYMENT_SUSPENDED'

  constructor() {
    super('the daemon is stopping')
  }
}
