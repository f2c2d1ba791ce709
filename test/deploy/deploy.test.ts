import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import yaml from 'js-yaml';
import { parseConfig } from '../../cli/config.js';
import { unknownVariables, variableOf } from '../../cli/config-sources.js';
import { CONFIG_NAMES, flagOf, OPTIONS } from '../../cli/options.js';

const DEPLOY = fileURLToPath(new URL('../../../deploy/', import.meta.url));

/** Whoever runs what is in deploy/ puts these there. */
const SECRET_FILES = ['secret.key', 'ferry.json'];

const read = (name: string) => readFile(`${DEPLOY}${name}`, 'utf8');

async function files(): Promise<{ readonly name: string; readonly text: string }[]> {
  const entries = await readdir(DEPLOY, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile() && !SECRET_FILES.includes(entry.name))
      .map(async (entry) => {
        const path = `${entry.parentPath}/${entry.name}`;
        return { name: entry.name, text: await readFile(path, 'utf8') };
      }),
  );
}

// What js-yaml gives has no type; the tests below look at what is there.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Parsed = any;

async function manifests(): Promise<Parsed[]> {
  const texts = await Promise.all(['kubernetes/ferry.yaml', 'kubernetes/secret.example.yaml'].map(read));
  return texts.flatMap((text) => yaml.loadAll(text));
}

test('every variable and flag in deploy/ is one that ferry serve takes', async (t) => {
  const flags = new Set(CONFIG_NAMES.map(flagOf));
  for (const { name, text } of await files()) {
    const variables = [...text.matchAll(/\bFERRY_[A-Z_]+\b/g)].map(([variable]) => [variable, 'x']);
    t.is(unknownVariables(Object.fromEntries(variables)), null, name);
    for (const line of text.split('\n').filter((each) => /ferry serve|--trusted-proxy/.test(each))) {
      for (const [, flag = ''] of line.matchAll(/\s--([a-z][a-z-]*)/g))
        t.true(flags.has(flag), `${name}: --${flag}`);
    }
  }
});

test('the options that compose.yaml gives a node are a configuration', async (t) => {
  const compose = yaml.load(await read('compose.yaml')) as Parsed;
  const environment: Record<string, string> = compose.services.ferry1.environment;
  const given: Record<string, unknown> = {};
  for (const name of CONFIG_NAMES) {
    const value = environment[variableOf(name)];
    if (value === undefined) continue;
    // As docker compose puts in what the user gave.
    const filled = value.replace(/\$\{\w+:\?[^}]*\}/g, 'acs.example.net');
    given[name] = /Proxy|Url/.test(name) ? [filled] : filled;
  }
  t.like(parseConfig(given), { nbiListen: '0.0.0.0:7557', trustedProxy: ['172.30.0.10'] });
  t.is(compose.services.nginx.networks.inside.ipv4_address, '172.30.0.10');
  const nodes = Object.entries<Parsed>(compose.services).filter(([, service]) => service.image === 'ferry');
  t.deepEqual(
    nodes.map(([name]) => name),
    ['ferry1', 'ferry2', 'ferry3'],
  );
  for (const [, node] of nodes) t.true(node.read_only);
  for (const proxy of ['nginx.conf', 'haproxy.cfg']) {
    const text = await read(proxy);
    for (const [name] of nodes)
      for (const port of [7547, 7557, 7567]) t.true(text.includes(`${name}:${port}`), proxy);
  }
});

test('the Kubernetes manifests fit together', async (t) => {
  const all = await manifests();
  for (const { apiVersion, kind, metadata } of all) t.true([apiVersion, kind, metadata.name].every(Boolean));
  const one = (kind: string) => all.find((each) => each.kind === kind);
  const pod = one('Deployment').spec.template;
  const [container] = pod.spec.containers;
  const isOfPod = (labels: object) => t.like(pod.metadata.labels, labels);
  isOfPod(one('Deployment').spec.selector.matchLabels);
  isOfPod(one('PodDisruptionBudget').spec.selector.matchLabels);
  isOfPod(one('NetworkPolicy').spec.podSelector.matchLabels);
  const ports = container.ports.map(({ name }: Parsed) => name);
  for (const service of all.filter(({ kind }) => kind === 'Service')) {
    isOfPod(service.spec.selector);
    for (const { targetPort } of service.spec.ports)
      t.true(ports.includes(targetPort), service.metadata.name);
  }
  t.is(one('HorizontalPodAutoscaler').spec.scaleTargetRef.name, one('Deployment').metadata.name);
  const secret = one('Secret');
  const { secretName } = pod.spec.volumes.find(({ name }: Parsed) => name === 'secrets').secret;
  t.is(secretName, secret.metadata.name);
  t.deepEqual(Object.keys(secret.stringData), SECRET_FILES);
  const example = JSON.parse(secret.stringData['ferry.json']);
  t.regex(parseConfig({ ...example, adminPassword: 'long enough' }).store, /^mongodb:/);
  // Whoever forgets to change it has no admin whose password is in the example.
  t.throws(() => parseConfig(example), { message: /^--admin-password must be/ });
  const volumes = pod.spec.volumes.map(({ name }: Parsed) => name);
  for (const { name } of container.volumeMounts) t.true(volumes.includes(name));
  t.true(container.securityContext.readOnlyRootFilesystem);
  t.true(pod.spec.securityContext.runAsNonRoot);
});

test('what containers are given as variables holds no secret', async (t) => {
  const compose = yaml.load(await read('compose.yaml')) as Parsed;
  const deployment = (await manifests()).find(({ kind }) => kind === 'Deployment');
  const [container] = deployment.spec.template.spec.containers;
  t.is(container.envFrom, undefined);
  const given: string[] = [
    ...Object.keys(compose.services.ferry1.environment),
    ...container.env.map(({ name }: Parsed) => name),
  ];
  // The database of compose.yaml asks for no password.
  const secrets = CONFIG_NAMES.filter((name) => OPTIONS[name].secret && name !== 'store').map(variableOf);
  t.deepEqual(
    given.filter((variable) => secrets.includes(variable)),
    [],
  );
  t.notRegex(compose.services.ferry1.environment[variableOf('store')], /@/);
});

test('CPEs are sent to who is ready, and only who does not turn is ended', async (t) => {
  const deployment = (await manifests()).find(({ kind }) => kind === 'Deployment');
  const [container] = deployment.spec.template.spec.containers;
  const { startupProbe, readinessProbe, livenessProbe } = container;
  t.deepEqual(
    [startupProbe, readinessProbe, livenessProbe].map(({ httpGet }: Parsed) => httpGet.path),
    ['/livez', '/readyz', '/livez'],
  );
  const proxy = await read('haproxy.cfg');
  t.deepEqual(new Set(proxy.match(/httpchk GET \S+/g)), new Set(['httpchk GET /readyz']));
  // What is degraded keeps nobody from serving.
  for (const { name, text } of await files()) {
    const probed = text
      .split('\n')
      .filter((line) => line.includes('/healthz') && !line.trim().startsWith('#'));
    t.deepEqual(probed, [], name);
  }
});

test('wherever Ferry runs its memory is bounded, alike', async (t) => {
  const compose = yaml.load(await read('compose.yaml')) as Parsed;
  t.is(compose.services.ferry1.mem_limit, '3g');
  const deployment = (await manifests()).find(({ kind }) => kind === 'Deployment');
  t.is(deployment.spec.template.spec.containers[0].resources.limits.memory, '3Gi');
  t.regex(await read('ferry.service'), /^MemoryMax=3G$/m);
});

test('secrets are mounted so that others than owner and group cannot read them', async (t) => {
  const pod = (await manifests()).find(({ kind }) => kind === 'Deployment').spec.template.spec;
  const { secret } = pod.volumes.find(({ name }: Parsed) => name === 'secrets');
  t.is(secret.defaultMode, 0o440);
  t.is(pod.securityContext.fsGroup, pod.securityContext.runAsGroup);
  t.regex(await read('compose.yaml'), /chmod 400 secret\.key ferry\.json/);
});

test('the image runs as nobody in particular, and asks Ferry itself whether it is well', async (t) => {
  const dockerfile = await read('Dockerfile');
  t.regex(dockerfile, /^USER 1000:1000$/m);
  t.regex(dockerfile, /^HEALTHCHECK [\s\S]*\/readyz/m);
  t.is([...dockerfile.matchAll(/^FROM /gm)].length, 2);
});
