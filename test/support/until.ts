/**
 * Fulfilled once `condition` holds; fails with `what` after the deadline. Never a blind sleep: it asks again and
 * again, but no more than half of the time, for whoever is waited for needs the processor as well.
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 20_000,
): Promise<void> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const askedAt = performance.now()
    if (await condition()) return
    const now = performance.now()
    if (now > end) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, Math.max(5, now - askedAt)))
  }
}
