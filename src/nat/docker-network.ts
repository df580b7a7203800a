/** The networks of a Docker engine, as `docker network inspect` tells of them, for the questions that this room asks. */
import { parseAddress, type Address } from '../net/address.ts'
import { parseAddressAndLength, parsePrefix, type Prefix } from '../net/prefix.ts'

export interface DockerNetwork {
  readonly name: string
  readonly driver: string
  /** The link that its containers hang on; undefined where there is none of the host's. */
  readonly bridge: string | undefined
  /** Made with `--internal`: kept from everybody else on purpose. */
  readonly internal: boolean
  readonly subnets: readonly Prefix[]
  readonly containers: readonly DockerContainer[]
}

export interface DockerContainer {
  readonly name: string
  readonly addresses: readonly Address[]
}

type Fields = Readonly<Record<string, unknown>>

/** A network as Docker's API lists it; what `docker network inspect` prints has the same in other words. */
export interface ListedNetwork {
  readonly id: string
  readonly name: string
  readonly driver: string
  readonly internal: boolean
  readonly subnets: readonly string[]
  readonly options: Readonly<Record<string, string>>
}

export interface ListedContainer {
  readonly name: string
  readonly endpoints: readonly { readonly network: string; readonly addresses: readonly string[] }[]
}

export const networkOf = (
  { id, name, driver, internal, subnets, options }: ListedNetwork,
  containers: readonly ListedContainer[],
): DockerNetwork => ({
  name,
  driver,
  bridge: driver === 'bridge' ? (options[BRIDGE_NAME] ?? `br-${id.slice(0, 12)}`) : undefined,
  internal,
  subnets: subnets.flatMap((text) => parsePrefix(text) ?? []),
  containers: containers.flatMap((it) => {
    const here = it.endpoints.filter(({ network }) => network === id)
    const addresses = here.flatMap((end) => end.addresses.flatMap((text) => addressOf(text) ?? []))
    return here.length === 0 ? [] : [{ name: it.name, addresses }]
  }),
})

const BRIDGE_NAME = 'com.docker.network.bridge.name'

/** What `docker network inspect` prints. Throws a SyntaxError when it is something else. */
export function parseDockerNetworks(inspected: unknown): DockerNetwork[] {
  if (!Array.isArray(inspected)) {
    throw new SyntaxError('this is not what `docker network inspect` prints')
  }
  return inspected.map((it: unknown): DockerNetwork => {
    const { Id, Name, Driver, Internal, IPAM, Options, Containers } = fieldsOf(it)
    const { Config } = fieldsOf(IPAM)
    const configured = Array.isArray(Config) ? (Config as unknown[]) : []
    const options = Object.entries(fieldsOf(Options)).map(([key, value]) => [key, String(value)])
    return networkOf(
      {
        id: String(Id),
        name: String(Name),
        driver: String(Driver),
        internal: Internal === true,
        subnets: configured.map((each) => String(fieldsOf(each)['Subnet'])),
        options: Object.fromEntries(options) as Readonly<Record<string, string>>,
      },
      Object.values(fieldsOf(Containers)).map((each) => {
        const { Name: container, IPv4Address, IPv6Address } = fieldsOf(each)
        const addresses = [String(IPv4Address), String(IPv6Address)]
        return { name: String(container), endpoints: [{ network: String(Id), addresses }] }
      }),
    )
  })
}

/** With or without the length of its network. */
const addressOf = (text: string): Address | undefined =>
  parseAddressAndLength(text)?.address ?? parseAddress(text)

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {}
