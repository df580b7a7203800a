/**
 * Makes a fresh clone ready: `npm start` and `npm test` call this first (with `--tests` for the latter).
 *
 * Plain JavaScript without packages, because it is what brings the packages. Every step looks first
 * whether it is needed, so the second time takes a fraction of a second:
 *
 * 1. Node is new enough.
 * 2. npm packages: `npm ci`, when package-lock.json is not the one they were installed from.
 * 3. Debian packages, as root: apt-get, named before; otherwise the missing ones are listed.
 * 4. The build, when the sources are not those that dist/ was made from.
 *
 * Only 1, 2 and 4 can fail it: without a Debian package less can be shown or tested, and whoever wants
 * to says so in time.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const OLDEST_NODE = [20, 19]

/** What the labs of `npm start` need beyond Debian's base system. */
const START_PACKAGES = {
  iproute2: 'network namespaces, links, routes',
  nftables: "the lab's sabotage by NAT, and NAT exemptions",
}
/** What the tests need as well: the daemons that linnet must get along with. */
const TEST_PACKAGES = {
  ...START_PACKAGES,
  bird2: 'interoperation with BIRD',
  frr: 'interoperation with FRR',
  gobgpd: 'interoperation with GoBGP',
  openbgpd: 'interoperation with OpenBGPD',
  exabgp: 'interoperation with ExaBGP',
  bgpdump: 'reads the MRT files that linnet writes',
  'user-mode-linux': 'a kernel that has IP-in-IP, as a process',
  kmod: 'brings the modules of that kernel',
  gcc: 'what that kernel lacks on processors with AMX',
  'libc6-dev': 'what gcc needs',
  'docker.io': 'real containers on real bridges',
  'busybox-static': 'what runs in those containers',
}

checkNode()
const forTests = process.argv.includes('--tests')
installNpmPackages()
installDebianPackages(forTests ? TEST_PACKAGES : START_PACKAGES)
build()

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return
  fail(
    `linnet needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.version} (${process.execPath}).`,
    'Newer ones: https://nodejs.org, or on Debian https://github.com/nodesource/distributions',
  )
}

function installNpmPackages() {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8')
  const stamp = join(root, 'node_modules', '.linnet-setup')
  const wanted = hash(lock)
  if (textOf(stamp) === wanted) return
  if (!areInstalled(JSON.parse(lock))) {
    say('Installing npm packages (npm ci)...')
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      failure: 'npm ci failed; is the npm registry reachable from here?',
    })
  }
  writeFileSync(stamp, wanted)
}

/** Somebody may have run `npm ci` by hand: npm's own list of what it installed then agrees. */
function areInstalled(lock) {
  const installed = textOf(join(root, 'node_modules', '.package-lock.json'))
  if (installed === undefined) return false
  const { packages } = JSON.parse(installed)
  return Object.entries(lock.packages).every(
    ([path, entry]) =>
      path === '' || entry.optional === true || packages[path]?.version === entry.version,
  )
}

function installDebianPackages(packages) {
  const missing = missingPackages(Object.keys(packages))
  if (missing === undefined) {
    say(`Not a Debian system: ${Object.keys(packages).join(', ')} are yours to install.`)
    return
  }
  if (missing.length === 0) return
  const list = missing.map((name) => `  ${name.padEnd(14)} ${packages[name]}`).join('\n')
  if (process.getuid() !== 0) {
    say(`Going on without these Debian packages (not root):\n${list}`)
    say(`They come with: sudo apt-get install --no-install-recommends ${missing.join(' ')}`)
    return
  }
  say(`Installing Debian packages:\n${list}`)
  const left = withoutStartingDaemons(() => aptInstall(missing))
  if (left.length > 0) say(`Going on without ${left.join(', ')}: apt-get could not install them.`)
}

/** Those of `names` that dpkg doesn't have; undefined where there is no dpkg. */
function missingPackages(names) {
  const query = spawnSync(
    'dpkg-query',
    ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names],
    {
      encoding: 'utf8',
    },
  )
  if (query.error !== undefined) return undefined
  const installed = new Set(query.stdout.split('\n').filter((line) => line.endsWith(' installed')))
  return names.filter((name) => !installed.has(`${name} installed`))
}

/** Installs what it can; returns what is still missing. */
function aptInstall(names) {
  const apt = (...args) =>
    spawnSync(
      'apt-get',
      ['-qq', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=120', ...args],
      {
        encoding: 'utf8',
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' },
      },
    )
  const install = (which) => apt('install', '-y', '--no-install-recommends', ...which)
  const update = apt('update')
  if (update.status !== 0) say(`apt-get update: ${lastLine(update.stderr)}`)
  if (install(names).status === 0) return []
  // One that can't be had must not keep the others away.
  for (const name of missingPackages(names) ?? []) {
    const alone = install([name])
    if (alone.status !== 0) say(`apt-get install ${name}: ${lastLine(alone.stderr)}`)
  }
  return missingPackages(names) ?? []
}

/** Debian starts what it installs, unless this file says no (policy-rc.d): no test wants the host's own BIRD. */
function withoutStartingDaemons(action) {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return action()
  const remove = () => rmSync(policy, { force: true })
  writeFileSync(policy, '#!/bin/sh\n# put here by linnet while it installs packages\nexit 101\n')
  chmodSync(policy, 0o755)
  process.once('exit', remove)
  try {
    return action()
  } finally {
    remove()
  }
}

function build() {
  const dist = join(root, 'dist')
  const wanted = hash(
    ...['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'].map((name) =>
      readFileSync(join(root, name)),
    ),
    ...filesUnder(join(root, 'src')).flatMap((path) => [path, readFileSync(path)]),
  )
  if (textOf(join(dist, '.stamp')) === wanted) return
  say('Building...')
  const fresh = join(root, 'node_modules', `.linnet-build-${process.pid}`)
  const old = `${fresh}.old`
  const clean = () => [fresh, old].forEach((path) => rmSync(path, { recursive: true, force: true }))
  process.once('exit', clean)
  try {
    mkdirSync(fresh)
    run(
      process.execPath,
      [
        join('node_modules', 'typescript', 'bin', 'tsc'),
        '-p',
        'tsconfig.build.json',
        '--outDir',
        fresh,
      ],
      {
        failure: 'the build failed; dist/ is as it was',
      },
    )
    makeExecutable(join(fresh, 'main.js'))
    writeFileSync(join(fresh, '.stamp'), wanted)
    // Whole trees change places, so that a daemon that is starting never meets half of one.
    if (existsSync(dist)) renameSync(dist, old)
    renameSync(fresh, dist)
  } finally {
    clean()
  }
}

function makeExecutable(path) {
  if (existsSync(path)) chmodSync(path, 0o755)
}

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) =>
      entry.isDirectory() ? filesUnder(join(folder, entry.name)) : [join(folder, entry.name)],
    )
}

function hash(...parts) {
  const sum = createHash('sha256')
  for (const part of parts) sum.update(part).update('\0')
  return sum.digest('hex')
}

function textOf(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Runs a step quietly; when it fails, shows what it said, and ends. */
function run(command, args, { failure }) {
  try {
    execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    fail(`${error.stdout ?? ''}${error.stderr ?? error.message}`.trim(), failure)
  }
}

function lastLine(text) {
  return (text ?? '').trim().split('\n').at(-1) ?? ''
}

function say(line) {
  process.stdout.write(`${line}\n`)
}

function fail(...lines) {
  for (const line of lines) process.stderr.write(`${line}\n`)
  process.exit(1)
}
