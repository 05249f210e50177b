/** A response that refuses the request; `code` is the application's code of the error. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string | undefined,
    message: string,
  ) {
    super(message);
  }
}

/** Sends requests of a page to its application, and keeps the CSRF token. */
export class Api {
  #csrfToken: string | undefined;

  /** @param send `fetch`, or a replacement of it in a test */
  constructor(private readonly send: typeof fetch = (...request) => fetch(...request)) {}

  get<T>(path: string): Promise<T> {
    return this.#ask<T>('GET', path);
  }

  async post<T>(path: string, body?: object): Promise<T> {
    this.#csrfToken ??= (await this.get<{ csrfToken: string }>('/auth/csrf')).csrfToken;
    try {
      return await this.#ask<T>('POST', path, body);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'csrf_failed') throw error;
      // the session's token was replaced, perhaps in another tab: repeat the request with a token for the new one
      this.#csrfToken = (await this.get<{ csrfToken: string }>('/auth/csrf')).csrfToken;
      return this.#ask<T>('POST', path, body);
    }
  }

  async #ask<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await this.send(path, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(method === 'GET' ? {} : { 'x-csrf-token': this.#csrfToken! }),
      },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    const answer = (text === '' ? {} : JSON.parse(text)) as { code?: string; message?: string; csrfToken?: string };
    if (!response.ok) throw new ApiError(response.status, answer.code, answer.message ?? response.statusText);
    if (answer.csrfToken !== undefined) this.#csrfToken = answer.csrfToken;
    return answer as T;
  }
}
