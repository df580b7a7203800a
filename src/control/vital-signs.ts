/** What a daemon can tell about its own body. */
import { readdirSync } from 'node:fs'

export const rssBytes = (): number => process.memoryUsage.rss()

/** 0 where the system does not tell. */
export function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length - 1 // the folder itself
  } catch {
    return 0
  }
}
