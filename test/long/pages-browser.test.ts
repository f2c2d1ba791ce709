import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { BrowserContext, Page } from 'playwright-core';
import { makeImage, type SimulatedCpe } from '../../cpe-sim/index.js';
import { createCpe, startListener } from '../e2e/simulated.js';
import { chromiumProgram, startChromium } from '../support/chromium.js';
import { ADMIN, startTestFerry, type TestFerry, until } from '../support/ferry.js';

// What a person does by a real browser. With `FERRY_SCREENSHOTS` each page that is looked at is kept in that directory.

const UPGRADER = '/api/v1/firmware-upgrader/';
const BOARD = 'TP-Link TL-WDR3600 v1';
const TYPE = 'ath79-generic-tplink_tl-wdr3600-v1-squashfs-sysupgrade.bin';
const IMAGE = makeImage({ softwareVersion: '2.0.0', productClass: BOARD, sizeBytes: 16 * 1024 });
/** Runs, where it is taken for HTML, in each way that there is to say it. */
const HOSTILE = `"><script>document.title='ran'</script><img src=x onerror="document.title='ran'">`;

const program = chromiumProgram();
if (program !== null) {
  test.serial(
    'a person logs in, makes a build, uploads an image, starts a batch and watches it end',
    async (t) => {
      t.timeout(300_000);
      const { ferry, page, shot, problems } = await setUp(t, program);
      await page.goto(`${ferry.urls.nbi}/`);
      await shot('first-page');
      await page.click('text=Log in');
      await page.fill('#username', ADMIN.name);
      await page.fill('#password', 'not that one');
      await page.click('main button');
      t.regex(await seen(page, '[role=alert]'), /do not fit/);
      await shot('log-in-refused');
      await page.fill('#password', ADMIN.password);
      await page.click('main button');
      await page.waitForURL(`${ferry.urls.nbi}/`);
      t.is(await seen(page, '.reader span'), ADMIN.name);

      await page.click('text=Categories of builds');
      await page.fill('#add-name', 'Home routers');
      await page.fill('#add-description', 'All of one make');
      await shot('categories');
      await page.click('form[aria-labelledby=add] button');
      await page.waitForURL(`**${UPGRADER}category/*-*/`);
      t.is(await seen(page, 'h1'), 'Home routers');
      const category = page.url().split('/').at(-2) ?? '';
      await shot('category');

      await page.goto(`${ferry.urls.nbi}${UPGRADER}build/`);
      await page.fill('#add-category', 'none');
      await page.fill('#add-version', '2.0.0');
      await page.click('form[aria-labelledby=add] button');
      await page.waitForSelector('#add-category-error:not([hidden])');
      t.regex(await seen(page, '#add-category-error'), /is not a valid UUID/);
      await shot('build-refused');
      await page.fill('#add-category', category);
      await page.click('form[aria-labelledby=add] button');
      await page.waitForURL(`**${UPGRADER}build/*-*/`);
      t.is(await seen(page, 'h1'), '2.0.0');
      await shot('build');

      await page.click('text=Its images');
      await page.selectOption('#add-type', TYPE);
      await page.setInputFiles('#add-file', {
        name: 'a file.bin',
        mimeType: 'application/octet-stream',
        buffer: IMAGE,
      });
      await page.click('form[aria-labelledby=add] button');
      await page.waitForURL(`**${UPGRADER}build/*-*/image/*-*/`);
      t.is(await seen(page, 'h1'), TYPE);
      await shot('image');

      const cpe = await startCpe(t, ferry);
      await page.click('.crumbs a >> text=Build >> nth=-1');
      await page.click('text=Upgrade devices to it');
      t.regex(await seen(page, 'pre.json'), /"devices": \[\s+"[0-9a-f-]{36}"/);
      await page.check('#add-upgrade_all');
      await shot('upgrade');
      await page.click('form[aria-labelledby=add] button');
      await page.waitForURL(`**${UPGRADER}batch-upgrade-operation/*-*/`);
      await shot('batch-begins');
      t.regex(await seen(page, 'main'), /loaded anew every 5 seconds/);
      // Nobody touches the page: it is loaded anew by itself until it has ended.
      await page.waitForSelector('.state-success', { timeout: 120_000 });
      await shot('batch-ended');
      t.regex(await seen(page, '.bar [role=status]'), /^success, 1 out of 1/);
      t.false((await seen(page, 'main')).includes('loaded anew'));
      t.is(cpe.softwareVersion, '2.0.0');

      await page.click('pre.json .key:has-text("upgradeoperations") ~ a >> nth=0');
      await page.waitForURL(`**${UPGRADER}upgrade-operation/*-*/`);
      await shot('operation');
      await page.click('text=Firmware of its device');
      t.regex(await seen(page, 'pre.json'), /"installed": true/);
      await shot('device-firmware');
      await page.click('.reader button');
      await page.waitForURL(`${ferry.urls.nbi}/`);
      await page.goto(`${ferry.urls.nbi}${UPGRADER}build/`);
      t.is(await seen(page, 'h1'), 'Builds');
      t.regex(await seen(page, 'main'), /Log in to see what is here/);
      await shot('logged-out');
      t.deepEqual(
        problems(),
        ['401', '400', '401'],
        'a wrong password, a wrong form, logged out: nothing else',
      );
    },
  );

  test.serial('lists are filtered and paged, and a thing is changed and deleted', async (t) => {
    t.timeout(300_000);
    const { ferry, page, shot } = await setUp(t, program);
    const category = await add(ferry, 'category/', { name: 'One' });
    for (let n = 1; n <= 12; n++) await add(ferry, 'build/', { category, version: `1.${n}`, os: `os ${n}` });
    await logIn(ferry, page);
    await page.goto(`${ferry.urls.nbi}${UPGRADER}build/`);
    t.regex(await seen(page, 'nav[aria-label=Pages]'), /12 in all/);
    await page.selectOption('#filter-ordering', 'version');
    await page.click('.filters button');
    await page.click('nav[aria-label=Pages] >> text=Next');
    t.true(page.url().includes('page=2'));
    t.true(page.url().includes('ordering=version'));
    t.is((await seen(page, 'pre.json')).match(/"version":/g)?.length, 2);
    await shot('second-page');
    await page.click('nav[aria-label=Pages] >> text=Before');
    await page.fill('#filter-version', '1.7');
    await page.click('.filters button');
    t.regex(await seen(page, 'nav[aria-label=Pages]'), /1 in all/);
    t.is(await page.inputValue('#filter-version'), '1.7');
    await shot('filtered');
    await page.click('pre.json a >> nth=0');
    t.is(await seen(page, 'h1'), '1.7');
    await page.fill('#change-changelog', 'All is new.\n\nReally.');
    await page.click('form[aria-labelledby=change] button');
    await page.waitForFunction(`document.querySelector('pre.json')?.textContent.includes('Really.')`);
    t.is(await page.inputValue('#change-version'), '1.7', 'what nobody touched stays');
    page.once('dialog', (dialog) => void dialog.dismiss());
    await page.click('form[aria-labelledby=delete] button');
    t.is(await seen(page, 'h1'), '1.7', 'who says no has deleted nothing');
    page.once('dialog', (dialog) => void dialog.accept());
    await page.click('form[aria-labelledby=delete] button');
    await page.waitForURL(`**${UPGRADER}build/`);
    t.regex(await seen(page, 'nav[aria-label=Pages]'), /11 in all/);
  });

  test.serial('what things and devices are called runs in no page', async (t) => {
    t.timeout(300_000);
    const { ferry, page, shot, problems } = await setUp(t, program);
    const name = HOSTILE.slice(0, 64);
    const category = await add(ferry, 'category/', { name, description: HOSTILE });
    const build = await add(ferry, 'build/', {
      category,
      version: '"><b onclick=x>',
      os: `'"><script src=//x>`,
      changelog: `</pre>${HOSTILE}</script><!--\u202e`,
    });
    const operation = await upgradeHostile(t, ferry, build);
    await logIn(ferry, page);
    const paths = [
      'category/',
      `category/${category}/`,
      'build/',
      `build/${build}/`,
      `build/${build}/image/`,
      `build/${build}/upgrade/`,
      `build/?version=${encodeURIComponent(HOSTILE)}&status=%22%3E%3Cscript%3E&page_size=%22%3E`,
      `build/?category=${encodeURIComponent(HOSTILE)}`,
      `category/?organization=${encodeURIComponent(HOSTILE)}`,
      'upgrade-operation/',
      `upgrade-operation/${operation}/`,
    ];
    for (const path of paths) {
      await page.goto(`${ferry.urls.nbi}${UPGRADER}${path}`);
      t.notRegex(await page.title(), /^ran$/, path);
      t.is(await page.locator('main script, main img, main b[onclick]').count(), 0, path);
      if (path === `category/${category}/`) {
        t.is(await seen(page, 'h1'), name.trim());
        t.is(await page.inputValue('#change-name'), name);
        t.is(await page.inputValue('#change-description'), HOSTILE);
        await shot('hostile');
      }
      if (path.endsWith(`${operation}/`)) t.true((await seen(page, 'pre.json')).includes('<script>document'));
      if (path === `build/${build}/`) t.true((await seen(page, 'pre.json')).includes('\\u202e'));
    }
    t.deepEqual(problems(), ['400'], 'a filter that is wrong, and no script that was kept from running');
  });

  test.serial(
    'the live page of the API shows every call, tries one, and changes something for who has logged in',
    async (t) => {
      t.timeout(300_000);
      const { ferry, page, shot, problems } = await setUp(t, program);
      await logIn(ferry, page);
      await page.goto(`${ferry.urls.nbi}/api/v1/docs/`);
      await page.click('#operations-tag-method');
      await page.click('[id$=freezeUpgrades] button.opblock-summary-control');
      await page.click('text=Try it out');
      await shot('api-call');
      await page.fill('textarea.body-param__text', '{"frozen":true}');
      await page.click('button.execute');
      await page.waitForSelector('.live-responses-table .response .response-col_status');
      t.regex(await seen(page, '.live-responses-table .response .response-col_status'), /^200/);
      await shot('api-answer');
      const { body } = await ferry.nbi('GET', '/v1/method/FreezeUpgrades');
      t.true(JSON.stringify(body).includes('"frozen":true'));
      t.deepEqual(problems(), []);
    },
  );

  test.serial('pages fit a phone, and what is dark is asked for', async (t) => {
    t.timeout(300_000);
    const { ferry, page, shot } = await setUp(t, program);
    await add(ferry, 'category/', { name: 'x'.repeat(64), description: 'y'.repeat(3_000) });
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await logIn(ferry, page);
    for (const path of ['/', '/admin/login/', `${UPGRADER}category/`, `${UPGRADER}upgrade-operation/`]) {
      await page.goto(`${ferry.urls.nbi}${path}`);
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
      t.true(wide <= 360, `${path} is ${wide} wide`);
      await shot(`phone-${path.split('/').at(-2) || 'first'}`);
      // Whoever goes by the keyboard comes to the content first, and sees where he is.
      await page.keyboard.press('Tab');
      t.is(await page.evaluate('document.activeElement?.className'), path === '/admin/login/' ? '' : 'skip');
      const ground = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      t.is(ground, 'rgb(20, 24, 29)');
    }
  });
}

async function setUp(t: ExecutionContext, chromium: string) {
  const ferry = await startTestFerry(t);
  const browser: BrowserContext = await startChromium(t, chromium);
  const page = await browser.newPage();
  const found: string[] = [];
  page.on('pageerror', ({ message }) => void found.push(message));
  page.on('console', (message) => {
    // What a browser says of an answer that is an error is no fault of the page; what a policy kept from running is.
    const text = message.text();
    if (message.type() === 'error') found.push(/status of (\d+)/.exec(text)?.[1] ?? text);
  });
  let shots = 0;
  const directory = process.env['FERRY_SCREENSHOTS'];
  const shot = async (name: string) => {
    if (directory === undefined) return;
    const path = join(directory, `${t.title.slice(0, 12)}-${++shots}-${name}.png`);
    await page.screenshot({ path, fullPage: true });
  };
  return { ferry, page, shot, problems: () => found };
}

async function logIn({ urls }: TestFerry, page: Page): Promise<void> {
  await page.goto(`${urls.nbi}/admin/login/`);
  await page.fill('#username', ADMIN.name);
  await page.fill('#password', ADMIN.password);
  await page.click('main button');
  await page.waitForURL(`${urls.nbi}/`);
}

/** What a person reads there. */
async function seen(page: Page, selector: string): Promise<string> {
  return (await page.textContent(selector)) ?? '';
}

/** Adds something as a script does. @returns its id */
async function add(
  { urls, installation }: TestFerry,
  path: string,
  fields: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { text } = await installation.users.tokens.create({ name: 'test', user: ADMIN.name }, null);
  const answer = await fetch(urls.nbi + UPGRADER + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${text}` },
    body: JSON.stringify(fields),
  });
  return String(((await answer.json()) as Readonly<Record<string, unknown>>)['id']);
}

/** Upgrades a CPE whose version is hostile, which the log of its operation tells, by an image that is called so too. @returns the operation */
async function upgradeHostile(t: ExecutionContext, ferry: TestFerry, build: string): Promise<string> {
  const { installation, urls } = ferry;
  const { text } = await installation.users.tokens.create({ name: 'hostile', user: ADMIN.name }, null);
  const headers = { Authorization: `Bearer ${text}` };
  const form = new FormData();
  form.set('type', TYPE);
  form.set('file', new Blob([IMAGE]), `${HOSTILE}.bin`);
  const uploaded = await fetch(`${urls.nbi}${UPGRADER}build/${build}/image/`, {
    method: 'POST',
    headers,
    body: form,
  });
  t.is(uploaded.status, 201, await uploaded.text());
  await startCpe(t, ferry, HOSTILE.slice(0, 64));
  const body = new URLSearchParams({ upgrade_all: 'true' });
  const started = await fetch(`${urls.nbi}${UPGRADER}build/${build}/upgrade/`, {
    method: 'POST',
    headers,
    body,
  });
  t.is(started.status, 201, await started.text());
  return until('the version stands in the log', async () => {
    const answer = await fetch(`${urls.nbi}${UPGRADER}upgrade-operation/`, { headers });
    const { results } = (await answer.json()) as { results: readonly { id: string; log: string }[] };
    const [found] = results;
    return found?.log.includes('<script>document') === true && found.id;
  });
}

/** A CPE of the board that the image is for, which comes when it is called. */
async function startCpe(
  t: ExecutionContext,
  { urls, nbi }: TestFerry,
  softwareVersion = '1.0.0',
): Promise<SimulatedCpe> {
  const cpe = createCpe(t, urls.cwmp, '1', {
    identity: { manufacturer: 'Ferry Simulator', oui: '00A1B2', productClass: BOARD, serialNumber: '1' },
    listener: await startListener(t),
    softwareVersion,
  });
  cpe.start();
  await until('it is known', async () => {
    const { status, body } = await nbi('GET', '/v1/dyn/DeviceStorage/.*');
    return status === 200 && JSON.stringify(body).includes('"provisioning":"done"') && !cpe.inSession;
  });
  return cpe;
}
