/**
 * What the segments of a session are signed with: nothing, a password (RFC 2385), or the keys of TCP-AO
 * (RFC 5925). Secrets stand in the configuration, or in files of their own.
 */
import type { Complaints } from './advice.ts'
import type { ResolvedPeer } from './config.ts'
import type { PeerSettings } from './peer-schema.ts'
import { Secret } from './secret.ts'
import { checkTcpAo, resolveTcpAo } from './tcp-ao.ts'
import { placeOf, type Path, type TreeNode } from './tree.ts'
import { TCP_KEY_BYTES, isSecret } from './values.ts'
import type { World } from './world.ts'

const WAYS = ['password', 'passwordFile', 'tcpAo'] as const

export function checkSigning(path: Path, settings: PeerSettings, complaints: Complaints): void {
  const [first, ...others] = WAYS.filter((way) => settings[way] !== undefined)
  for (const way of others) {
    const message = `${first} stands beside it, and only one can count`
    complaints.error([...path, way], message, 'remove one of them')
  }
  checkTcpAo([...path, 'tcpAo'], settings.tcpAo, complaints)
}

export interface SecretContext {
  readonly root: TreeNode
  readonly world: World
  readonly complaints: Complaints
}

/** As the nearest level says that says anything about it. */
export function signingOf(
  levels: readonly { readonly path: Path; readonly it: PeerSettings }[],
  context: SecretContext,
): Pick<ResolvedPeer, 'password' | 'tcpAo'> {
  const level = levels.find(({ it }) => WAYS.some((way) => it[way] !== undefined))
  if (level === undefined) return {}
  const { tcpAo, passwordFile } = level.it
  const at = (way: (typeof WAYS)[number]): Path => [...level.path, way]
  if (tcpAo !== undefined) {
    if (context.world.hasTcpAo?.() === false) {
      const message = 'this kernel has no TCP-AO, so that the peer will be refused'
      const remedy = 'run Linux 6.7 or newer with CONFIG_TCP_AO, or write password on both sides'
      context.complaints.warning(at('tcpAo'), message, remedy)
    }
    const read = (file: string, path: Path) => readSecret(file, path, 'key', context)
    return { tcpAo: resolveTcpAo(at('tcpAo'), tcpAo, read) }
  }
  const password =
    passwordFile === undefined
      ? level.it.password
      : readSecret(passwordFile, at('passwordFile'), 'password', context)
  return password === undefined ? {} : { password }
}

/** The first line of a file, of at most so many bytes. */
export function readSecret(
  file: string,
  path: Path,
  noun: 'password' | 'key',
  { root, world, complaints }: SecretContext,
  most = TCP_KEY_BYTES,
): Secret | undefined {
  const read = world.readText(file, placeOf(root, path).file)
  if ('problem' in read) {
    const message = `can't read ${file}: ${read.problem}`
    complaints.error(path, message, 'write a file that linnet may read')
    return undefined
  }
  const secret = read.text.split(/\r?\n/, 1)[0] ?? ''
  if (!isSecret(secret, most)) {
    const message = `the first line of ${file} is no ${noun}`
    complaints.error(path, message, `put 1 to ${most} bytes there`)
    return undefined
  }
  if (read.readableByAll) {
    complaints.warning(path, `everybody may read ${file}`, `chmod o= ${file}`)
  }
  return new Secret(secret)
}
