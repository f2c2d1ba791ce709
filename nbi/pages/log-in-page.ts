import { type Html, html } from './html.js';
import type { Page } from './page.js';

/** A field of the form as it is shown again; what was typed as a password is not. */
export interface LogInForm {
  readonly username: string;
  /** Where logging in leads; a path of this server. */
  readonly next: string;
  /** What the form shows beside the cookie of the same value. */
  readonly csrfToken: string;
  /** What is wrong with what was sent; null: nothing was. */
  readonly problem: string | null;
}

/** `/admin/login/`, whether or not something is wrong with what was sent. */
export function logInPage(form: LogInForm): Page {
  return { title: 'Log in', crumbs: [{ name: 'Ferry', path: '/' }], main: mainOf(form) };
}

function mainOf({ username, next, csrfToken, problem }: LogInForm): Html {
  const described = problem === null ? null : html` aria-describedby="problem"`;
  return html`<h1>Log in</h1>
${problem !== null && html`<p class="problem" id="problem" role="alert">${problem}</p>\n`}<form class="fields" method="post" action="/admin/login/">
<input type="hidden" name="csrfmiddlewaretoken" value="${csrfToken}">
<input type="hidden" name="next" value="${next}">
<p><label for="username">User</label>
<input id="username" name="username" value="${username}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="64" required${username === '' && html` autofocus`}${described}></p>
<p><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024" required${username !== '' && html` autofocus`}${described}></p>
<p><button type="submit">Log in</button></p>
</form>`;
}
