import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bidRequestSchema } from '../../../../src/dms/jobs/index.ts'
import { isPermanent } from '../../../../src/dms/node/index.ts'
import { refusal } from '../../../../src/utils/index.ts'

const OFFER = { cpu: { cores: 4 }, ram: { size: 8 }, disk: { size: 8 } }

function entries(cores: number) {
  return bidRequestSchema.parse({
    id: 'e',
    request: [
      {
        V1: {
          node_id: 'n',
          executors: ['wasm'],
          resources: { cpu: { cores }, ram: { size: 1 }, disk: { size: 1 } }
        }
      }
    ]
  }).entries
}

function no(code: string) {
  return refusal('BID_NONE', 'no', {
    causes: [refusal('BID_NODE', 'no', { details: { node: 'n' }, causes: [refusal(code, 'no')] })]
  })
}

describe("a provider's no", () => {
  it('is lasting when the machine can never do it', () => {
    assert.equal(isPermanent(no('RESOURCES_CPU_LACKING'), entries(64), OFFER), true)
    assert.equal(isPermanent(no('BID_EXECUTOR'), entries(1), OFFER), true)
    assert.equal(isPermanent(refusal('BID_NOT_ONBOARDED', 'no'), entries(1), undefined), true)
  })

  it('is for the moment when the machine is only busy', () => {
    assert.equal(isPermanent(no('RESOURCES_CPU_LACKING'), entries(3), OFFER), false)
    assert.equal(isPermanent(refusal('BID_ANSWERED', 'no'), entries(1), OFFER), false)
  })
})
