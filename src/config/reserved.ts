/**
 * Keys of the documented configuration whose rooms are not built yet. Using one is an error that says
 * so: a file must never promise what the daemon won't do. A key moves from here to the schema with the
 * change that brings it.
 */

const RESERVED: readonly { readonly where: string; readonly keys: readonly string[] }[] = [
  {
    where: 'the document',
    keys: ['overlay'],
  },
]

const ANYWHERE = new Set(RESERVED.flatMap((row) => row.keys))

/** True when `key` is documented but comes with a later version; also where it was put wrongly. */
export const isReserved = (key: string): boolean => ANYWHERE.has(key)

/** All of them, for the reference. */
export const reservedKeys = (): typeof RESERVED => RESERVED
