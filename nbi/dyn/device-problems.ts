import type { Device } from '../../acs/index.js';

/** What of a CPE is not as it should be, in words; undefined where nothing is known to be amiss. */
export function problemsOf(device: Device): readonly string[] | undefined {
  const problems = (device.provisioningFailures ?? []).map(
    ({ names, faultCode, faultString }) =>
      `not set: ${names.join(', ')}, with fault ${faultCode} (${faultString})`,
  );
  if (problems.length === 0 && isUnanswered(device))
    problems.push(
      `SetParameterValues found no answer that can be read, tries so far: ${device.provisioningTries}`,
    );
  for (const [field, reason] of Object.entries(device.refusedFields ?? {}))
    problems.push(`${field} ${reason}`);
  if (device.parametersCut !== undefined) problems.push(cutProblem(device.parametersCut));
  return problems.length === 0 ? undefined : problems;
}

function cutProblem({ subtrees, bytes }: NonNullable<Device['parametersCut']>): string {
  return `parameters of ${subtrees.join(', ')} are not kept: ${bytes} bytes too many when they were reported last`;
}

function isUnanswered({ provisioning, provisioningTries = 0 }: Device): boolean {
  return provisioning === 'failed' || (provisioning === 'due' && provisioningTries > 0);
}
