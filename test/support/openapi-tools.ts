import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { isProgram } from './is-program.js';

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Programs of Python's registry that read an OpenAPI document; `.ci/openapi-tools.txt` says in which versions. */
export type OpenApiTool = 'openapi-spec-validator' | 'openapi-python-client' | 'schemathesis' | 'python';

/** What stands in this directory of the source and is no TypeScript. */
export const OPENAPI_FILES = fileURLToPath(new URL('../../../test/long/openapi/', import.meta.url));

/**
 * The directory that these tools are in, which `OPENAPI_TOOLS` tells; null where it does not, after registering a test that says so (and
 * fails with `FERRY_REQUIRE_OPENAPI_TOOLS=1`).
 */
export function openApiTools(): string | null {
  const directory = process.env['OPENAPI_TOOLS'];
  if (directory !== undefined && isProgram(join(directory, 'schemathesis'))) return directory;
  test('what reads the OpenAPI document by tools of others is skipped: OPENAPI_TOOLS names no directory of theirs', (t) => {
    t.log(
      'pip install -r .ci/openapi-tools.txt into a virtual environment, and set OPENAPI_TOOLS to its bin.',
    );
    t.not(
      process.env['FERRY_REQUIRE_OPENAPI_TOOLS'],
      '1',
      'OPENAPI_TOOLS names no directory with schemathesis, and FERRY_REQUIRE_OPENAPI_TOOLS=1 asks for it',
    );
  });
  return null;
}

/** What came of running a program: its exit code, and what it printed on both channels. */
export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end; one that ends with another code than 0 is no error here. */
export async function runTool(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  const { cwd, env = {} } = options;
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, {
      ...(cwd !== undefined && { cwd }),
      // As wide as lines come: some tools break theirs at the width of a terminal.
      env: { ...process.env, COLUMNS: '200', NO_COLOR: '1', ...env },
      maxBuffer: OUTPUT_BYTES_MAX,
    });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    if (!isFailure(error) || typeof error.code !== 'number') throw error;
    return { code: error.code, output: error.stdout + error.stderr };
  }
}

function isFailure(
  error: unknown,
): error is Error & { readonly code: unknown; readonly stdout: string; readonly stderr: string } {
  return error instanceof Error && 'code' in error && 'stdout' in error && 'stderr' in error;
}
