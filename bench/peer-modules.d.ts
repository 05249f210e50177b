/*
 * What is used of the peers. They are installed by who runs the benchmarks only, so the type check must do without
 * them.
 */
declare module 'express-session' {
  import type { RequestHandler } from 'express';
  interface SessionOptions {
    readonly secret: string;
    readonly resave: boolean;
    readonly saveUninitialized: boolean;
    readonly store?: object;
    readonly cookie?: { readonly maxAge: number };
  }
  const session: (options: SessionOptions) => RequestHandler;
  export default session;
}

declare module 'connect-redis' {
  export class RedisStore {
    constructor(options: { readonly client: object; readonly prefix: string });
    set(id: string, session: object): Promise<void>;
  }
}

declare module 'connect-pg-simple' {
  interface PgStore {
    set(id: string, session: object, done: (error: Error | null) => void): void;
    close(): Promise<void>;
  }
  const connectPgSimple: (
    session: typeof import('express-session').default,
  ) => new (options: { readonly pool: object; readonly createTableIfMissing: boolean }) => PgStore;
  export default connectPgSimple;
}

declare module '@fastify/cookie' {
  const plugin: never;
  export default plugin;
}

declare module '@fastify/session' {
  const plugin: never;
  export default plugin;
}

declare module 'better-auth' {
  interface BetterAuthOptions {
    readonly baseURL: string;
    readonly secret: string;
    readonly database: unknown;
    readonly secondaryStorage: unknown;
    readonly emailAndPassword: {
      readonly enabled: true;
      readonly password: {
        hash(password: string): Promise<string>;
        verify(given: { hash: string; password: string }): Promise<boolean>;
      };
    };
    readonly rateLimit: { readonly enabled: boolean };
    readonly telemetry: { readonly enabled: boolean };
  }
  export function betterAuth(options: BetterAuthOptions): {
    readonly api: {
      getSession(given: { headers: Headers }): Promise<{ readonly user: { readonly email: string } } | null>;
      signUpEmail(given: {
        body: { email: string; password: string; name: string };
        asResponse: true;
      }): Promise<Response>;
      signInEmail(given: { body: { email: string; password: string }; asResponse: true }): Promise<Response>;
    };
  };
}

declare module 'better-auth/adapters/memory' {
  export function memoryAdapter(tables: Record<string, unknown[]>): unknown;
}

declare module 'better-auth/node' {
  export function fromNodeHeaders(headers: object): Headers;
}

declare module '@better-auth/redis-storage' {
  export function redisStorage(options: { readonly client: object }): unknown;
}
