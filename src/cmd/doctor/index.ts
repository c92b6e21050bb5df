import { command } from '../cli/command.ts'
import { DOCTOR_FLAGS } from './flags.ts'
import { doctorHandler } from './handler.ts'

export const doctor = command({
  name: 'doctor',
  summary: 'find out what is wrong with this machine',
  description:
    'Checks what a node needs and says how to mend what is missing. Exit code 1 when something that is needed fails. With a passphrase in DMS_PASSPHRASE or --passphrase-fd it also asks the running node about its peers.',
  flags: DOCTOR_FLAGS,
  examples: ['nunet doctor', 'nunet doctor --output json'],
  exitCodes: 'human',
  handler: doctorHandler
})
