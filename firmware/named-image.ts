const URL_PATTERN = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//;

/**
 * The name of the one image that a rule's `file` can stand for: itself, or where it is a URL the last part of its path, whether or not it is
 * one of our file server. (Where that is known by is configured, and may have been another when the rule was written.)
 */
export function imageNameIn(file: string): string {
  if (!URL_PATTERN.test(file)) return file;
  const path = URL.canParse(file) ? new URL(file).pathname : file.replace(/[?#].*$/s, '');
  const last = path.slice(path.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}
