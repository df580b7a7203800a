/** `advertise.cni`: whether and where files of the container network interface are read. */
import { z } from 'zod'
import { key } from './key.ts'
import { flag, path, valueFacts } from './values.ts'

const DIRECTORY = '/etc/cni/net.d'

const cniMap = z.strictObject({
  directory: key(
    path.prefault(DIRECTORY),
    'The folder; files that end in `.conf`, `.conflist` or `.json` count, in the order of their names.',
    '/etc/cni/net.d/default',
  ),
})

export const cniSchema = z.union([flag, cniMap]).register(valueFacts, {
  noun: 'true, false or a map',
  write: `true, false or { directory: ${DIRECTORY} }`,
})

/** Undefined for `false`. */
export function resolveCni(
  entry: z.output<typeof cniSchema> | undefined,
): { readonly directory: string } | undefined {
  if (entry === undefined || entry === false) return undefined
  return entry === true ? { directory: DIRECTORY } : entry
}
