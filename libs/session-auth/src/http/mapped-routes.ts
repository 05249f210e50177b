import 'reflect-metadata';
import { Injectable, type RequestMethod, type Type } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { RoutePathFactory } from '@nestjs/core/router/route-path-factory.js';
import { handlersOf } from './declared-handlers.js';

/** Where Nest keeps the path of a route. */
const PATH = 'path';
const METHOD = 'method';
const HOST = 'host';
const VERSION = '__version__';
const MODULE_PATH = '__module_path__';

type PathParts = Parameters<RoutePathFactory['create']>[0];

/** A handler that Nest maps, in one of the modules that declare its controller. */
export interface MappedRoute {
  readonly type: Type;
  readonly handler: object;
  /** Of the handler. */
  readonly name: string;
  readonly method: RequestMethod;
  /** With prefix, path of the module and version, such as `/api/v1/users/:id`. */
  readonly paths: readonly string[];
  /** Whether it serves only requests to certain hosts. */
  readonly isOfHost: boolean;
}

/**
 * The routes that Nest maps for an application. Prefix and versions are known once `NestModule.configure` is called.
 */
@Injectable()
export class MappedRoutes {
  /** Nest's own class, so that its rules for prefixes, exclusions and versions are not repeated here. */
  readonly #paths: RoutePathFactory;

  constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
  ) {
    this.#paths = new RoutePathFactory(config);
  }

  all(): MappedRoute[] {
    return [...this.modules.values()].flatMap(({ controllers, metatype }) =>
      [...controllers.values()].flatMap((controller) => {
        const type = controller.metatype as Type | null;
        return type === null ? [] : this.#routesOf(type, this.#pathOf(metatype));
      }),
    );
  }

  #routesOf(type: Type, modulePath: string | undefined): MappedRoute[] {
    const isOfHost = Reflect.getMetadata(HOST, type) !== undefined;
    return handlersOf(type, METHOD).map(({ name, handler }) => {
      const method = Reflect.getMetadata(METHOD, handler) as RequestMethod;
      return { type, handler, name, method, isOfHost, paths: this.#pathsOf(type, handler, method, modulePath) };
    });
  }

  #pathsOf(type: Type, handler: object, method: RequestMethod, modulePath: string | undefined): string[] {
    const prefix = this.config.getGlobalPrefix();
    const versioningOptions = this.config.getVersioning();
    const versionOf = (target: object): PathParts['methodVersion'] =>
      Reflect.getMetadata(VERSION, target) as PathParts['methodVersion'];
    const parts: PathParts = {
      globalPrefix: prefix === '' || prefix.startsWith('/') ? prefix : `/${prefix}`,
      modulePath,
      versioningOptions,
      methodVersion: versionOf(handler),
      controllerVersion: versioningOptions && (versionOf(type) ?? versioningOptions.defaultVersion),
    };
    return pathsIn(type).flatMap((ctrlPath) =>
      pathsIn(handler).flatMap((methodPath) => this.#paths.create({ ...parts, ctrlPath, methodPath }, method)),
    );
  }

  /** Returns the path that `RouterModule` gave a module. */
  #pathOf(module: object): string | undefined {
    const ofApplication = Reflect.getMetadata(MODULE_PATH + this.modules.applicationId, module) as string | undefined;
    return ofApplication ?? (Reflect.getMetadata(MODULE_PATH, module) as string | undefined);
  }
}

function pathsIn(target: object): string[] {
  const paths = [(Reflect.getMetadata(PATH, target) ?? []) as string | string[]].flat();
  return paths.map((path) => (path.startsWith('/') ? path : `/${path}`));
}
