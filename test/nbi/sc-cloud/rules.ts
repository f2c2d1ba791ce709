import type { Cloud } from './support.js';
import { PASSWORD } from './support.js';

/** A rule of north that sends an image to whoever comes. */
export async function postedRule({ call }: Cloud, file: string): Promise<void> {
  const json = { id: `RULE-${file.replaceAll('.', '-')}`, condition: { productClass: 'HGW' }, file };
  const reply = await call('/v1/dyn/FirmwareStorage/.*', {
    method: 'POST',
    json,
    as: `admin@north:${PASSWORD}`,
  });
  if (reply.status !== 200) throw new Error(`The rule is not taken: ${JSON.stringify(reply.body)}`);
}
