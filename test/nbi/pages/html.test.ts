import test from 'ava';
import fc from 'fast-check';
import { type Html, html, NOTHING, type Piece } from '../../../nbi/pages/index.js';

const text = (page: Html) => String(page);

test('whatever stands in a template is text, between tags and between quotes', (t) => {
  const name = `<script>alert("x")</script> & 'y'`;
  const shown = '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;y&#39;';
  t.is(text(html`<p title="${name}">${name}</p>`), `<p title="${shown}">${shown}</p>`);
  t.is(text(html`<p>${3}${null}${false}${['<', html`<br>`, ['>']]}</p>`), '<p>3&lt;<br>&gt;</p>');
  t.is(text(NOTHING), '');
});

/** Of what can break out of where it stands. */
const HOSTILE = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc
    .array(
      fc.constantFrom('<', '>', '"', "'", '&', '/', '=', ' ', '<script', '-->', ']]>', '</', 'a', '&quot;'),
    )
    .map((parts) => parts.join('')),
);

test('no text can end what it stands in', (t) => {
  fc.assert(
    fc.property(HOSTILE, HOSTILE, (one, other) => {
      const page = text(html`<p title="${one}">${other}</p>`);
      const [, title, content] = /^<p title="([^"]*)">([^<>]*)<\/p>$/.exec(page) ?? [];
      t.is(unescaped(title), one);
      t.is(unescaped(content), other);
    }),
  );
});

function unescaped(found: string | undefined): string | undefined {
  return found
    ?.replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}

test('a URL leads within this server or to a page of the web, and nowhere else', (t) => {
  for (const url of [
    '/a/b?c=d#e',
    '?page=2',
    '#main',
    'http://files.example.net/a',
    'https://example.net/',
  ]) {
    t.is(text(html`<a href="${url}">x</a>`), `<a href="${url}">x</a>`);
  }
  const others = [
    '',
    'javascript:x',
    'JAVASCRIPT:x',
    ' javascript:x',
    'java\nscript:x',
    'data:text/html,x',
    'vbscript:x',
    '//elsewhere.example.net/',
    '/\\elsewhere.example.net/',
    '/\t/elsewhere.example.net/',
    'a',
    '&#106;avascript:x',
  ];
  for (const url of others) {
    t.is(text(html`<a href="${url}">x</a>`), '<a href="#">x</a>', url);
    t.is(text(html`<form class="x" action="${url}"></form>`), '<form class="x" action="#"></form>', url);
  }
  t.is(text(html`<a href="/users/${'"><b>'}/">x</a>`), '<a href="/users/&quot;&gt;&lt;b&gt;/">x</a>');
});

test('a template in which escaping does not help is refused whatever its values are', (t) => {
  const templates: readonly ((value: Piece) => Html)[] = [
    (value) => html`<p ${value}>`,
    (value) => html`<p title=${value}>`,
    (value) => html`<p title='${value}'>`,
    (value) => html`<p title="x" ${value}>`,
    (value) => html`<${value}>`,
    (value) => html`<script>${value}</script>`,
    (value) => html`<SCRIPT type="module">${value}</SCRIPT>`,
    (value) => html`<style>${value}</style>`,
    (value) => html`<a href="/${value}">`,
    (value) => html`<a href="javascript:${value}">`,
  ];
  for (const template of templates) t.throws(() => template('harmless'), undefined, template.toString());
  t.throws(() => html`<p title="${html`"`}">`);
});

test('an attribute that is there or not is a piece of its own', (t) => {
  const input = (isRequired: boolean) => text(html`<input name="a"${isRequired && html` required`}>`);
  t.is(input(true), '<input name="a" required>');
  t.is(input(false), '<input name="a">');
});
