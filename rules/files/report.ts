import type { Logger } from '../../common/index.js';
import type { RuleFilesStatus } from './status.js';

const PROBLEMS_LOGGED_MAX = 10;

/** Logs a scan's outcome, but the same one only once; every application is one of its own. @returns what to compare the next one with */
export function report(logger: Logger, directory: string, status: RuleFilesStatus, before: string): string {
  const { atMs: _, ...outcome } = { atMs: 0, ...status };
  const now = JSON.stringify(status.state === 'applied' ? status : outcome);
  if (now === before) return before;
  switch (status.state) {
    case 'starting':
    case 'standby':
      logger.info(`rules.files-${status.state}`, { directory });
      return now;
    case 'applied':
      logger.info('rules.files-applied', { directory, files: status.files, rules: status.rules });
      for (const warning of status.warnings?.slice(0, PROBLEMS_LOGGED_MAX) ?? []) {
        logger.warn('rules.file-flawed', { directory, ...warning });
      }
      return now;
    case 'hanging':
      logger.error('rules.scan-hangs', { directory });
      return now;
    case 'empty':
      logger.error('rules.directory-empty', { directory });
      return now;
    case 'failed':
      logger.error('rules.files-failed', { directory, error: status.error });
      return now;
    case 'broken':
      for (const problem of status.problems.slice(0, PROBLEMS_LOGGED_MAX)) {
        logger.error('rules.file-broken', { directory, ...problem });
      }
      return now;
    default: {
      const never: never = status;
      throw new Error(`Unknown state ${String(never)}`);
    }
  }
}
