import type { MaintenanceWindow } from '../../vocabulary/index.js';
import type { Remark } from './finding.js';

const HOUR_MINUTES = 60;
const ETC_ZONE = /^etc\/gmt([+-])([0-9]{1,2})$/i;
const FIXED_ZONES: ReadonlySet<string> = new Set(['EST', 'MST', 'HST']);
const MINUTES = /^(?:\*|[0-9]{1,2}(?:-[0-9]{1,2})?)(?:\/[0-9]{1,2})?$/;

/** What is to be said of a window that opens at other times, or closes later, than it seems. */
export function windowRemarks({ cron, timezone, durationMinutes }: MaintenanceWindow): readonly Remark[] {
  const remarks: Remark[] = [];
  const [minute = '', , day = '*', , weekday = '*'] = cron.trim().split(/\s+/);
  const at = (field: 'cron' | 'timezone'): Pick<Remark, 'path'> => ({ path: ['window', field] });
  if (!day.startsWith('*') && !weekday.startsWith('*')) {
    remarks.push({
      code: 'both-day-fields',
      ...at('cron'),
      message: `it opens only on days that are both: ${day} of the month and ${weekday} of the week (cron(8) takes either); write * for one of them`,
    });
  }
  const everyMinutes = smallestGap(minute);
  if (everyMinutes !== null && everyMinutes < durationMinutes) {
    remarks.push({
      code: 'window-reopens',
      ...at('cron'),
      message: `it opens anew every ${everyMinutes} min while it is open, and closes ${durationMinutes} min after the last time; write one minute, such as 0`,
    });
  }
  const [, sign, hours] = ETC_ZONE.exec(timezone) ?? [];
  if (sign !== undefined && Number(hours) > 0) {
    const [meant, direction] = sign === '+' ? ['−', 'behind'] : ['+', 'ahead of'];
    remarks.push({
      code: 'zone-sign',
      ...at('timezone'),
      message: `the sign of ${timezone} is turned round: it is UTC${meant}${hours}, ${hours} h ${direction} UTC; name a place, such as Europe/Berlin`,
    });
  }
  if (FIXED_ZONES.has(timezone.toUpperCase())) {
    remarks.push({
      code: 'zone-without-summer',
      ...at('timezone'),
      message: `${timezone} may have no summer time; name a place, such as America/New_York`,
    });
  }
  return remarks;
}

/** Minutes between two openings within an hour; null where there is one, or the field is not understood here. */
function smallestGap(field: string): number | null {
  const minutes = new Set<number>();
  for (const part of field.split(',')) {
    if (!MINUTES.test(part)) return null;
    const [range = '', step = '1'] = part.split('/');
    const [from = '0', to = from] = range === '*' ? ['0', '59'] : range.split('-');
    for (let minute = Number(from); minute <= Number(to); minute += Math.max(1, Number(step)))
      minutes.add(minute);
  }
  const sorted = [...minutes].sort((a, b) => a - b);
  const gaps = sorted.slice(1).map((minute, index) => minute - (sorted[index] ?? minute));
  return gaps.length === 0 ? null : Math.min(HOUR_MINUTES, ...gaps);
}
