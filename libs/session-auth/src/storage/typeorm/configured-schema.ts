import type { DataSource } from 'typeorm';

/** The `schema` that the application gave its DataSource; undefined: the connection's `search_path` decides. */
export function configuredSchema({ options }: DataSource): string | undefined {
  return 'schema' in options && options.schema ? options.schema : undefined;
}
