/**
 * Files of Calico's resources -> the resources in them, by kind. Documents stand one after the other, alone or
 * in lists, as calicoctl and kubectl print them: of projectcalico.org/v3, or as Kubernetes keeps them
 * (crd.projectcalico.org/v1, and its own Nodes, where Calico's settings are annotations).
 */
import { z } from 'zod'
import { Complaints } from '../../advice.ts'
import type { Complaint } from '../../complaint.ts'
import { readDocuments } from '../../document.ts'
import { parse } from '../../parse.ts'
import { nodeAt, type Path, type TreeNode } from '../../tree.ts'
import { valueFacts } from '../../values.ts'
import { annotationsSchema, KINDS, NAME, SPECS, type Kind, type Spec } from './kinds.ts'
import type { Found } from './found.ts'
import type { Labels } from './selector.ts'
import type { Report } from './report.ts'

export interface Resource<K extends Kind> extends Found {
  readonly kind: K
  readonly labels: Labels
  readonly annotations: z.output<typeof annotationsSchema>
  readonly spec: Spec<K>
}

export type Resources = { readonly [K in Kind]: readonly Resource<K>[] }

export interface InputFile {
  readonly name: string
  readonly text: string
}

export interface ReadResources {
  readonly resources: Resources
  readonly complaints: readonly Complaint[]
}

const GROUPS = ['projectcalico.org/v3', 'crd.projectcalico.org/v1']

export function readResources(files: readonly InputFile[], report: Report): ReadResources {
  const broken: Complaint[] = []
  const roots: Complaints[] = []
  const found: Found[] = []
  for (const { name, text } of files) {
    for (const { root, complaints } of readDocuments(text, name)) {
      broken.push(...complaints)
      if (root === undefined || (root.kind === 'scalar' && root.value === null)) continue
      const said = new Complaints(root)
      roots.push(said)
      found.push(...findIn(root, [], '', said))
    }
  }
  const known = found.filter((it) => isKnown(it, report))
  refuseTwins(known)
  const read = <K extends Kind>(kind: K, schema: z.ZodType<Spec<K>>): Resource<K>[] =>
    known.flatMap((it) => (it.kind === kind ? resourceOf(it, kind, schema) : []))
  const resources: Resources = {
    BGPConfiguration: read('BGPConfiguration', SPECS.BGPConfiguration),
    BGPPeer: read('BGPPeer', SPECS.BGPPeer),
    BGPFilter: read('BGPFilter', SPECS.BGPFilter),
    IPPool: read('IPPool', SPECS.IPPool),
    Node: read('Node', SPECS.Node),
    BlockAffinity: read('BlockAffinity', SPECS.BlockAffinity),
  }
  return { resources, complaints: [...broken, ...roots.flatMap((it) => it.all)] }
}

const textAt = (root: TreeNode, path: Path): string | undefined => {
  const node = nodeAt(root, path)
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined
}

/** The resource at `path`, or those in the list there. `listed`: the kind of a list's items, if it says. */
function findIn(root: TreeNode, path: Path, listed: string, complaints: Complaints): Found[] {
  const node = nodeAt(root, path)
  if (node?.kind !== 'map') {
    complaints.error(path, 'this is no resource', 'write kind: BGPPeer, metadata and spec')
    return []
  }
  const written = textAt(root, [...path, 'kind'])
  const kind = written ?? listed
  if (kind === '') {
    complaints.error([...path, 'kind'], 'is missing', 'add kind: BGPPeer')
    return []
  }
  const items = nodeAt(root, [...path, 'items'])
  if (kind.endsWith('List') && items?.kind === 'list') {
    const ofItems = kind.slice(0, -'List'.length)
    return items.items.flatMap((_, i) => findIn(root, [...path, 'items', i], ofItems, complaints))
  }
  const name = textAt(root, [...path, 'metadata', 'name'])
  if (name === undefined || !NAME.test(name)) {
    const at = [...path, 'metadata', 'name']
    complaints.error(at, 'there is no name', 'write name: tor-a into metadata')
    return []
  }
  const apiVersion =
    textAt(root, [...path, 'apiVersion']) ?? textAt(root, ['apiVersion']) ?? GROUPS[0] ?? ''
  return [{ kind, apiVersion, name, root, path, complaints }]
}

/** What is said of resources that linnet has no use for. */
const OTHER_KINDS: Readonly<Record<string, readonly [why: string, instead: string]>> = {
  FelixConfiguration: [
    'Felix programs what is local to the host, not BGP',
    'look at docs/calico.md for the settings that linnet has too',
  ],
  Secret: ['secrets are not copied', 'write the password into a file, and passwordFile'],
}

function isKnown(found: Found, report: Report): boolean {
  const { kind, apiVersion } = found
  const isKind = (KINDS as readonly string[]).includes(kind)
  if (isKind && (GROUPS.includes(apiVersion) || (kind === 'Node' && apiVersion === 'v1'))) {
    return true
  }
  const [why, instead] = OTHER_KINDS[kind] ?? [
    isKind ? `${apiVersion} is not Calico's` : 'it says nothing about BGP',
    'nothing is to be done',
  ]
  report.tell(found, [], why, instead)
  return false
}

function refuseTwins(found: readonly Found[]): void {
  const seen = new Set<string>()
  for (const { kind, name, path, complaints } of found) {
    const title = `${kind} ${name}`
    if (seen.has(title)) {
      complaints.error([...path, 'metadata', 'name'], `${title} is here twice`, 'keep one of them')
    }
    seen.add(title)
  }
}

const labelsSchema = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
  .register(valueFacts, { noun: 'a map of labels', write: 'rack: r1' })

function resourceOf<K extends Kind>(
  found: Found,
  kind: K,
  schema: z.ZodType<Spec<K>>,
): Resource<K>[] {
  const { root, path } = found
  const at = (steps: Path): TreeNode | undefined => nodeAt(root, [...path, ...steps])
  const spec = at(['spec'])
  const bare = spec === undefined || (spec.kind === 'scalar' && spec.value === null)
  if (bare && kind !== 'Node') {
    found.complaints.error([...path, 'spec'], 'is missing', 'add spec')
    return []
  }
  const read = bare ? schema.safeParse({}).data : parse(schema, [...path, 'spec'], found)
  const labels =
    at(['metadata', 'labels']) === undefined
      ? {}
      : parse(labelsSchema, [...path, 'metadata', 'labels'], found)
  const annotations =
    kind !== 'Node' || at(['metadata', 'annotations']) === undefined
      ? {}
      : parse(annotationsSchema, [...path, 'metadata', 'annotations'], found)
  if (read === undefined || labels === undefined || annotations === undefined) return []
  return [{ ...found, kind, labels, annotations, spec: read }]
}
