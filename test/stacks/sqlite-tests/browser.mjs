/** A browser at the endpoints of an application, of whose cookies only names and values matter here. */
export class Browser {
  #cookies = new Map();

  constructor(port) {
    this.port = port;
  }

  /** Logs Ada of the quick start in, remembered, and returns the status. */
  async logIn(password = 'correct horse battery staple') {
    const { status } = await this.#post('login', { email: 'ada@example.com', password, rememberMe: true });
    return status;
  }

  async logOut() {
    return (await this.#post('logout')).status;
  }

  /** Returns the status of asking who is logged in. */
  async session({ remembered = true } = {}) {
    const cookies = [...this.#cookies].filter(([name]) => remembered || !name.includes('remember'));
    return (await this.#ask('session', {}, cookies)).status;
  }

  /** Loses the cookies whose names are meant. */
  forget(isMeant) {
    for (const name of [...this.#cookies.keys()]) if (isMeant(name)) this.#cookies.delete(name);
  }

  async #post(path, body) {
    const { csrfToken, headerName } = await (await this.#ask('csrf')).json();
    return this.#ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [headerName]: csrfToken },
      body: JSON.stringify(body ?? {}),
    });
  }

  async #ask(path, init = {}, cookies = [...this.#cookies]) {
    const cookie = cookies.map((pair) => pair.join('=')).join('; ');
    const headers = { ...init.headers, ...(cookie !== '' && { cookie }) };
    const answer = await fetch(`http://127.0.0.1:${this.port}/auth/${path}`, { ...init, headers });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return answer;
  }
}
