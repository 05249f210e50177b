import { html, trustedHtml, type Html } from './html.js';
import type { PageContent } from './page.js';
import type { Place, Site } from './site.js';
import { STYLESHEET_PATH } from './stylesheet.js';

/** Who looks at a page, as far as the frame around it shows. */
export interface Viewer {
  readonly roles: readonly string[];
  /** The CSRF field for the sign-out button; undefined: nobody is signed in. */
  readonly signOut: string | undefined;
  /** Something to tell, once. */
  readonly notice: string | undefined;
  /** The page's own address. */
  readonly path: string;
}

/** A whole HTML document. */
export function frame({ title, body, narrow }: PageContent, site: Site, viewer?: Viewer): string {
  const { badge, root } = site;
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} – Example Bank${badge !== undefined && html`, ${badge}`}</title>
        <link rel="stylesheet" href="${STYLESHEET_PATH}" />
        <link rel="icon" href="/assets/bank.svg" type="image/svg+xml" />
      </head>
      <body>
        <a class="skip" href="#main">Skip to content</a>
        <header>
          <div class="bar">
            <a class="brand" href="${root || '/'}"
              ><img src="/assets/bank.svg" alt="" width="28" height="28" />Example
              Bank${badge !== undefined && html` <span class="badge">${badge}</span>`}</a
            >
            ${viewer?.signOut !== undefined && navigation(viewer, viewer.signOut, site)}
          </div>
        </header>
        <main id="main" tabindex="-1" class="${narrow === true && 'narrow'}">
          <h1>${title}</h1>
          ${viewer?.notice !== undefined && html`<p class="notice good" role="status">${viewer.notice}</p>`} ${body}
        </main>
        <footer><p>A demo of nestjs-session-auth. No real money, no real bank.</p></footer>
      </body>
    </html>`;
  return document.text;
}

function navigation({ roles, path }: Viewer, csrfField: string, site: Site): Html {
  const here = (place: string): boolean =>
    path === place || path.startsWith(`${place}/`) || path.startsWith(`${place}?`);
  const link = ([place, name]: Place): Html =>
    html`<li><a href="${place}" ${here(place) && trustedHtml(' aria-current="page"')}>${name}</a></li>`;
  return html`<nav aria-label="Main">
      <ul>
        ${site.places(roles).map(link)}
      </ul>
    </nav>
    <form class="sign-out" method="post" action="${site.root}/logout">
      ${trustedHtml(csrfField)}<button class="quiet">Sign out</button>
    </form>`;
}
