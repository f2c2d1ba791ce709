import { call, type Northbound } from '../northbound.js';

/** So many of them have the CPEs, by the last digit of their serial numbers; the rules of the others hold for none. */
const WITH_CPES = 10;

/** Adds organizations that CPEs belong to by rules, each with an upgrade rule of its own that is for none of these CPEs. */
export async function addOrganizations(northbound: Northbound, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const slug = `bench-${index}`;
    const others = [{ subnet: `198.18.${index % 256}.0/24` }, { username: `${slug}-*` }];
    const condition = `$substring(serialNumber, -1) = "${index}"`;
    const rules = index < WITH_CPES ? [...others, { condition }] : others;
    await post(northbound, '/v1/dyn/OrganizationStorage/.*', { name: slug, slug, rules });
    await post(northbound, `/v1/dyn/FirmwareStorage/.*?organization=${slug}`, ruleOf(index));
  }
}

/** The same upgrade rules, where there are no organizations that they could be of. */
export async function addTheirRules(northbound: Northbound, count: number): Promise<void> {
  for (let index = 0; index < count; index++)
    await post(northbound, '/v1/dyn/FirmwareStorage/.*', ruleOf(index));
}

function ruleOf(index: number): object {
  return { id: `BENCH_OTHER_${index}`, file: 'other.bin', condition: { productClass: `other-${index}` } };
}

async function post(northbound: Northbound, path: string, body: object): Promise<void> {
  await call(northbound, 'POST', path, { type: 'application/json', content: JSON.stringify(body) });
}
