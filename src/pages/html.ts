/** A piece of HTML. */
export class Html {
  constructor(readonly text: string) {}
}

/** What may stand in a template: text is escaped, pieces of HTML are not, nothing shows nothing. */
export type HtmlValue = string | number | Html | readonly HtmlValue[] | undefined | null | false;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * HTML with values in it, each escaped unless it is HTML itself: ``html`<p class="${kind}">${name}</p>` ``. A value in
 * an attribute needs quotes around it, and none may stand where a script, a style or the scheme of a link would be
 * read.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.map((text, index) => text + show(values[index])).join(''));
}

/** Text that is known to be safe HTML, such as the form field of `CsrfService`. */
export function trustedHtml(text: string): Html {
  return new Html(text);
}

function show(value: HtmlValue): string {
  if (value === undefined || value === null || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(show).join('');
  return String(value).replace(/[&<>"']/g, (character) => ESCAPES[character]!);
}
