import { access } from 'node:fs/promises';

/** Whether there is anything under this path that we can reach. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
