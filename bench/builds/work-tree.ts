import { readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTool, ToolError } from './tool.js';

/** Of this work tree: what is measured as today's build was built in it. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A commit that cannot be compared with. The message says how to mend it. */
export class CommitError extends Error {}

const HASH_SHOWN = 7;

/** What a commit is called in a report. */
export function shortHash(hash: string): string {
  return hash.slice(0, HASH_SHOWN);
}

/**
 * @param name  whatever git takes for a commit: a hash, a branch, `HEAD~3`
 * @returns its full hash
 * @throws CommitError
 */
export async function resolveCommit(name: string): Promise<string> {
  await git(['rev-parse', '--git-dir']).catch((error: unknown) => {
    throw new CommitError(
      `${ROOT} is no git work tree, so that no commit can be taken out of it (${text(error)})`,
    );
  });
  return git(['rev-parse', '--verify', '--end-of-options', `${name}^{commit}`]).catch(() => {
    throw new CommitError(
      `"${name}" names no commit here: give a hash, a branch or a tag that "git log" knows; of a clone without its ` +
        'whole history "git fetch --unshallow" gets the rest',
    );
  });
}

/** Whether this work tree is something else than its commit. */
export async function hasUncommittedChanges(): Promise<boolean> {
  return (await git(['status', '--porcelain'])) !== '';
}

/**
 * Takes a commit out into a new directory, gives it its packages and builds it. Packages are shared with this work tree where both name
 * the same ones.
 * @param tell  takes what is being done
 * @returns takes the directory away again, and what git noted of it
 */
export async function buildWorkTree(
  hash: string,
  directory: string,
  { tell, signal }: { readonly tell: (doing: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  const within = { cwd: directory, signal };
  await runTool('git', ['worktree', 'add', '--quiet', '--detach', directory, hash], { cwd: ROOT, signal });
  if (await haveSamePackages(ROOT, directory)) {
    await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'), 'dir');
  } else {
    tell(`Installing the packages of ${shortHash(hash)}, which are not those of today`);
    await runTool('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], within);
  }
  tell(`Building ${shortHash(hash)}`);
  await runTool('npm', ['run', 'build'], within);
}

/** Takes away what {@link buildWorkTree} made, however far it came. */
export async function removeWorkTree(directory: string): Promise<void> {
  // Twice: also where git was ended while it made it, and left it locked.
  await git(['worktree', 'remove', '--force', '--force', directory]).catch(() => {});
  await rm(directory, { recursive: true, force: true });
}

async function haveSamePackages(one: string, other: string): Promise<boolean> {
  const lockOf = (directory: string) =>
    readFile(join(directory, 'package-lock.json'), 'utf8').catch(() => null);
  const lock = await lockOf(one);
  return lock !== null && lock === (await lockOf(other));
}

async function git(args: readonly string[]): Promise<string> {
  return (await runTool('git', args, { cwd: ROOT })).trim();
}

function text(error: unknown): string {
  return error instanceof ToolError ? error.message : String(error);
}
