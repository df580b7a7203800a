/**
 * A container engine as discovery needs it: lists of what there is, and word of what has changed.
 * `linux/docker-engine` speaks with a real one; the daemon watches it and hands what it knows to
 * `DockerSource`.
 */

export interface EngineNetwork {
  readonly id: string
  readonly name: string
  /** `bridge`, `macvlan`, `ipvlan`, `overlay`, `host`, `null`, or a plugin's. */
  readonly driver: string
  readonly internal: boolean
  /** A template that other networks are made from (`--config-only`). */
  readonly template: boolean
  /** As the engine writes them: `10.78.1.0/28`. */
  readonly subnets: readonly string[]
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

/** One that does its work: it runs, is not paused, and is not found ill by its health check. */
export interface EngineContainer {
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly endpoints: readonly {
    /** Id of the network. */
    readonly network: string
    /** Without lengths. */
    readonly addresses: readonly string[]
  }[]
}

/** All that is known of an engine, by id. */
export interface EngineView {
  readonly networks: ReadonlyMap<string, EngineNetwork>
  readonly containers: ReadonlyMap<string, EngineContainer>
}

export type EngineObject = 'network' | 'container'

export interface EngineTls {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** Where an engine is; nothing = where it usually is. */
export interface EngineEndpoint {
  readonly socket?: string
  readonly host?: string
  readonly port?: number
  /** Names of PEM files. */
  readonly tls?: EngineTls
}

/** Why an engine can't be heard, with the remedy. */
export class EngineError extends Error {}

export interface EngineEvents {
  /** Something has changed about this one; what it is now, a list tells: at once, or with `late` a bit later. */
  touched(object: EngineObject, id: string, late: boolean): void
  /** Nothing will be heard any more. */
  ended(why: EngineError): void
}

export interface EngineConnection {
  /** All, or those of `ids` that exist. Rejects with an EngineError. */
  networks(ids?: readonly string[]): Promise<readonly EngineNetwork[]>
  /** All that do their work, or those of `ids` that do. Rejects with an EngineError. */
  containers(ids?: readonly string[]): Promise<readonly EngineContainer[]>
  /** Hears no more; `ended` is not called. */
  close(): void
}

/**
 * Resolves when changes are heard; what changed before, a list tells. With `containers`, they are heard
 * of as well. Rejects with an EngineError.
 */
export type ConnectEngine = (
  endpoint: EngineEndpoint,
  heard: { readonly containers: boolean },
  events: EngineEvents,
) => Promise<EngineConnection>
