import { CookieJar } from './cookie-jar.js';

const BROWSER = { 'user-agent': 'A browser', 'accept-language': 'en', 'accept-encoding': 'gzip' };

/**
 * Has `fetch` of Node.js keep cookies as a page at an address does, until the function is called that it returns.
 *
 * @param address of the page; Node says nothing of where a request comes from, so it has the headers of one
 */
export function fetchAsPage(address: string): () => void {
  const send = globalThis.fetch;
  const jar = new CookieJar();
  // the jar takes __Host- cookies from a secure address only, as `localhost` is one to browsers
  const secure = address.replace(/^http:/, 'https:');
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const url = request.url.replace(/^http:/, 'https:');
    const cookie = jar.header(url, { method: request.method, from: secure });
    if (cookie !== undefined) request.headers.set('cookie', cookie);
    // a page has no say in these, and a session is bound to some of them
    for (const [name, value] of Object.entries({ origin: address, ...BROWSER })) request.headers.set(name, value);
    const response = await send(request);
    for (const line of response.headers.getSetCookie()) jar.set(url, line);
    return response;
  };
  return () => void (globalThis.fetch = send);
}
