/**
 * Where the code of a worker thread is: beside the file that starts it, or in dist/ when that runs as TypeScript,
 * which threads can't.
 *
 * `here` is the `import.meta.url` of the file that asks.
 */
export const workerUrl = (here: string, name: string): URL =>
  new URL(
    `./${name}.js`,
    here.endsWith('.js') ? here : here.replace(/\/src\/(?=[^/]+\/[^/]+$)/, '/dist/'),
  )
