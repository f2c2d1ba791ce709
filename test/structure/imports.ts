import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** One file that names another. Paths are below the tree, with slashes. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

/** The TypeScript files of a tree, and which of them imports which. */
export interface Sources {
  readonly files: readonly string[];
  readonly imports: readonly Import[];
}

/** What is built or fetched, and the tests: they may look anywhere. */
const LEFT_OUT: ReadonlySet<string> = new Set(['node_modules', 'dist', 'test']);

/** The formatter leaves a statement no other form. Names of types count as well: who reads one must read the other. */
const IMPORT =
  /^(?:import|export)\b[^;'"]*\bfrom '(\.[^']+)';|^import '(\.[^']+)';|\bimport\('(\.[^']+)'\)/gm;

/**
 * Reads a checkout, which need not be built.
 * @param tree  the folder that holds package.json
 */
export function readSources(tree: string): Sources {
  const files = typeScriptFiles(tree).sort();
  const known = new Set(files);
  const imports = files.flatMap((from) =>
    importsIn(readFileSync(join(tree, from), 'utf8'))
      .map((specifier) => normalize(join(dirname(from), specifier.replace(/\.js$/, '.ts'))))
      .filter((to) => known.has(to))
      .map((to) => ({ from, to })),
  );
  return { files, imports };
}

/** The relative modules that a source text names, in its order. */
export function importsIn(text: string): readonly string[] {
  return [...text.matchAll(IMPORT)].flatMap(([, first, second, third]) => first ?? second ?? third ?? []);
}

function typeScriptFiles(tree: string, folder = ''): string[] {
  return readdirSync(join(tree, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      return entry.name.startsWith('.') || LEFT_OUT.has(path) ? [] : typeScriptFiles(tree, path);
    }
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [path] : [];
  });
}
