#!/usr/bin/env node
import { runProgram } from './cli/program.ts'
import { processShell } from './cli/shell.ts'

const code = await runProgram(process.argv.slice(2), processShell())
if (code !== 0) process.exitCode = code
