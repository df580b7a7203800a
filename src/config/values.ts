/**
 * The values that a configuration is written with: one row each, as a zod schema that turns the text
 * into what the daemon uses (a Duration into seconds, an address into an Address), with the words for
 * people: what it is, and what to write. Complaints, the reference and schema.json come from these rows. Those that
 * are addresses are in address-values.ts.
 */
import { z } from 'zod'
import { Secret } from './secret.ts'

export interface Advice {
  readonly message: string
  readonly remedy: string
}

export interface ValueFacts {
  /** Completes `0 is not ...`: `an AS number`. */
  readonly noun: string
  /** Completes `write ...`: `1..4294967295`. */
  readonly write: string
  /** Better words for a mistake that people make. `shown` is the value as it was written. */
  readonly explain?: (value: unknown, shown: string) => Advice | undefined
  /** Never repeat the value in a complaint. */
  readonly secret?: boolean
}

export const valueFacts = z.registry<ValueFacts>()

function value<S extends z.ZodType>(schema: S, facts: ValueFacts): S {
  valueFacts.add(schema, facts)
  return schema
}

/** A value written as text: `read` gives what it means, advice, or undefined for plain nonsense. */
export function text<T>(read: (text: string) => T | undefined, facts: ValueFacts) {
  const schema = z.string().transform((written, context): T => {
    const meant = read(written)
    if (meant !== undefined) return meant
    context.addIssue({ code: 'custom', message: 'unreadable' })
    return z.NEVER
  })
  return value(schema, facts)
}

const YES_AND_NO = new Map([
  ['yes', 'true'],
  ['on', 'true'],
  ['no', 'false'],
  ['off', 'false'],
])

export const flag = value(z.boolean(), {
  noun: 'true or false',
  write: 'true or false',
  explain: (_, shown) => {
    const meant = YES_AND_NO.get(shown.toLowerCase())
    if (meant === undefined) return undefined
    return { message: `${shown} is not true or false`, remedy: `write ${meant}` }
  },
})

export function choice<const T extends readonly [string, ...string[]]>(...words: T) {
  const list = words.length === 1 ? words[0] : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
  return value(z.enum(words), { noun: list, write: list })
}

export const integer = (least: number, most: number, noun = 'a whole number') =>
  value(z.int().min(least).max(most), { noun, write: `${least}..${most}` })

/** Text without blanks, of 1 to `longest` characters. */
export const word = (noun: string, longest: number, example: string) =>
  value(z.string().min(1).max(longest).regex(/^\S+$/), {
    noun,
    write: `1 to ${longest} characters without blanks, such as ${example}`,
  })

export const freeText = value(
  z
    .string()
    .max(200)
    .regex(/^[^\n]*$/),
  {
    noun: 'a line of text',
    write: 'at most 200 characters on one line',
  },
)

/** Link names: IFNAMSIZ is 16 with the final zero. */
export const linkName = value(
  z
    .string()
    .max(15)
    .regex(/^[^\s/:]+$/),
  {
    noun: 'the name of a link',
    write: 'a name such as eth0',
  },
)

export const linkPattern = value(
  z
    .string()
    .max(64)
    .regex(/^[^\s/:]+$/),
  {
    noun: 'the name of a link, or a pattern',
    write: 'docker0 or br-*',
  },
)

export const path = value(
  z
    .string()
    .min(1)
    .regex(/^[^\0\n]+$/),
  {
    noun: 'a file name',
    write: 'a path',
  },
)

const AS_NUMBER = {
  noun: 'an AS number',
  write: '1..4294967295',
  explain: (given: unknown, shown: string): Advice | undefined => {
    if (given === 23456) {
      const message = '23456 is AS_TRANS, which stands for other numbers (RFC 6793)'
      return { message, remedy: 'write the AS number itself' }
    }
    const bare = shown.replace(/^"(.*)"$/, '$1')
    const dotted = /^(\d{1,5})\.(\d{1,5})$/.exec(bare)
    if (dotted !== null) {
      const plain = Number(dotted[1]) * 65536 + Number(dotted[2])
      return { message: `${bare} is in dotted notation`, remedy: `write ${plain}` }
    }
    if (typeof given !== 'string' || !/^(AS)?[1-9]\d{0,9}$/i.test(bare)) return undefined
    const digits = bare.replace(/\D/g, '')
    return { message: `${shown} is text, not an AS number`, remedy: `write ${digits}` }
  },
} satisfies ValueFacts

const asNumber = z
  .int()
  .min(1)
  .max(4294967295)
  .refine((it) => it !== 23456)

export const asn = value(asNumber, AS_NUMBER)

/** Better words for mistakes with AS numbers, for values that may be one. */
export const asnAdvice = AS_NUMBER.explain

export const peerAsn = value(z.union([asNumber, z.enum(['internal', 'external'])]), {
  noun: 'an AS number, internal or external',
  write: '1..4294967295, internal or external',
  explain: (given, shown) => {
    const better = AS_NUMBER.explain(given, shown)
    if (better !== undefined || typeof given !== 'number') return better
    return { message: `${shown} is not an AS number`, remedy: `write ${AS_NUMBER.write}` }
  },
})

const SECONDS_OF: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400 }

/** `90s`, `8m`, `300ms`, or a plain number of seconds; undefined when it is none. */
export function parseDuration(written: string | number): number | undefined {
  if (typeof written === 'number') return written >= 0 && written < 1e9 ? written : undefined
  const match = /^(\d{1,9})(ms|s|m|h|d)?$/.exec(written)
  return match === null ? undefined : Number(match[1]) * (SECONDS_OF[match[2] ?? 's'] ?? 1)
}

function duration(facts: ValueFacts, good: (seconds: number) => boolean) {
  const schema = z
    .union([z.number().min(0), z.string().regex(/^\d{1,9}(ms|s|m|h|d)?$/)])
    .transform((written, context): number => {
      const seconds = parseDuration(written)
      if (seconds !== undefined && good(seconds)) return seconds
      context.addIssue({ code: 'custom', message: 'unreadable' })
      return z.NEVER
    })
  return value(schema, facts)
}

/** RFC 4271 4.2: zero, or at least three seconds; 16 bits on the wire. */
export const holdTime = duration(
  {
    noun: 'a hold time',
    write: '0 (off) or whole seconds from 3s to 65535s, such as 90s',
    explain: (given) => {
      const seconds =
        typeof given === 'number' || typeof given === 'string' ? parseDuration(given) : undefined
      if (seconds === undefined || seconds <= 0 || seconds >= 3) return undefined
      const message = `a hold time of ${seconds}s is too short (RFC 4271 4.2)`
      return { message, remedy: 'write 0 (off) or at least 3s' }
    },
  },
  (seconds) => seconds === 0 || (Number.isInteger(seconds) && seconds >= 3 && seconds <= 65535),
)

export const pause = duration(
  { noun: 'a time', write: '100ms to 1d, such as 5s' },
  (seconds) => seconds >= 0.1 && seconds <= 86400,
)

export const limit = duration(
  { noun: 'a time', write: '0 (off) or 1s to 1d, such as 8m' },
  (seconds) => seconds === 0 || (seconds >= 1 && seconds <= 86400),
)

export const interval = duration(
  { noun: 'a time', write: '1s to 7d, such as 15m' },
  (seconds) => seconds >= 1 && seconds <= 7 * 86400,
)

/** RFC 5880 leaves the bounds open: below, a process can't be sure to run in time; above, hold times are as quick. */
export const bfdInterval = duration(
  { noun: 'an interval', write: '10ms to 30s, such as 300ms' },
  (seconds) => seconds >= 0.01 && seconds <= 30,
)

/** RFC 4724 section 3: 12 bits. */
export const restartTime = duration(
  { noun: 'a time', write: 'whole seconds from 1s to 4095s, such as 120s' },
  (seconds) => Number.isInteger(seconds) && seconds >= 1 && seconds <= 4095,
)

/** RFC 9494 section 3.1: 24 bits. */
export const staleTime = duration(
  { noun: 'a time', write: 'whole seconds from 1s to 194d, such as 24h' },
  (seconds) => Number.isInteger(seconds) && seconds >= 1 && seconds <= 0xffffff,
)

/** `75%`, as a number from 1 to 100. */
export const percentage = text(
  (written) => {
    const percent = Number(/^(\d{1,3})%$/.exec(written)?.[1])
    return percent >= 1 && percent <= 100 ? percent : undefined
  },
  {
    noun: 'a percentage',
    write: '1% to 100%, such as 75%',
    explain: (given, shown) => {
      if (typeof given !== 'number' || given < 1 || given > 100) return undefined
      return { message: `${shown} is not a percentage`, remedy: `write ${shown}%` }
    },
  },
)

/** RFC 1997 and the registry "BGP Well-known Communities", as `asn:value`. */
const WELL_KNOWN = new Map([
  ['graceful-shutdown', '65535:0'],
  ['llgr-stale', '65535:6'],
  ['no-llgr', '65535:7'],
  ['blackhole', '65535:666'],
  ['no-export', '65535:65281'],
  ['no-advertise', '65535:65282'],
  ['no-export-subconfed', '65535:65283'],
])

export const community = text(
  (written) => {
    const known = WELL_KNOWN.get(written)
    if (known !== undefined) return known
    const halves = /^(\d{1,5}):(\d{1,5})$/.exec(written)?.slice(1).map(Number)
    return halves?.every((half) => half <= 65535) === true ? halves.join(':') : undefined
  },
  { noun: 'a community', write: 'asn:value, both up to 65535, or a name such as no-export' },
)

/** RFC 2385 and RFC 5925 leave the length open; Linux takes 80 bytes (TCP_MD5SIG_MAXKEYLEN, TCP_AO_MAXKEYLEN). */
export const TCP_KEY_BYTES = 80
/** RFC 5880 section 6.7.4. */
export const BFD_KEY_BYTES = 20

export const isSecret = (written: string, most: number): boolean =>
  written.length > 0 && new TextEncoder().encode(written).length <= most

const secretText = (noun: string, most = TCP_KEY_BYTES) =>
  value(
    z
      .string()
      .refine((written) => isSecret(written, most))
      .transform((written) => new Secret(written)),
    { noun, write: `text of 1 to ${most} bytes, in quotes`, secret: true },
  )

export const password = secretText('a password')
export const signingKey = secretText('a key')
export const bfdKey = secretText('a key', BFD_KEY_BYTES)

export const table = value(
  z.union([z.int().min(1).max(4294967295), z.string().regex(/^[\w.@-]{1,64}$/)]),
  { noun: 'a routing table', write: 'its name, such as main, or its number' },
)
