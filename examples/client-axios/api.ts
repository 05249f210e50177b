import axios, { type AxiosInstance } from 'axios';
import { createSessionClient, type SessionClient } from 'nestjs-session-auth/client';

/** Requests by axios go through the client: its `fetch` takes the place of the browser's. */
export function axiosOf(session: SessionClient, baseURL?: string): AxiosInstance {
  // undefined: axios leaves the requests to `fetch` then
  return axios.create({ baseURL, adapter: 'fetch', env: { fetch: session.fetch } });
}

export const session = createSessionClient();
export const api = axiosOf(session);
