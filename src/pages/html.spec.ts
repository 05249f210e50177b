import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../libs/session-auth/test/any-character.js';
import { html, trustedHtml } from './html.js';

describe('html', () => {
  it('escapes what could end a text or an attribute', () => {
    const name = `<script>alert("1" & '2')</script>`;
    expect(html`<p title="${name}">${name}</p>`.text).toBe(
      '<p title="&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;">' +
        '&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;</p>',
    );
  });

  it('lets nothing through that opens a tag or closes a quote, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), (text) => {
        expect(html`${text}`.text).not.toMatch(/[<>"']/);
        expect(html`${[text, [text]]}`.text).not.toMatch(/[<>"']/);
      }),
    );
  });

  it('puts HTML into HTML as it is, once escaped', () => {
    const item = (name: string) => html`<li>${name}</li>`;
    expect(html`${['a & b', 'c'].map(item)}`.text).toBe('<li>a &amp; b</li><li>c</li>');
    expect(html`<form>${trustedHtml('<input name="x">')}</form>`.text).toBe('<form><input name="x"></form>');
  });

  it('shows nothing for nothing, and zero for zero', () => {
    expect(html`[${undefined}${null}${false}${0}]`.text).toBe('[0]');
  });
});
