import type { FastifyInstance } from 'fastify';

/** Knows which methods a path takes: fastify itself answers 404 to a method it has no route for. */
export interface RouteTable {
  /** The methods a path takes, in the order `Allow` names them; empty when there is nothing at it. */
  allowed(path: string): string[];
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Notes every route that is registered from now on. */
export function createRouteTable(app: FastifyInstance): RouteTable {
  const routes: { methods: readonly string[]; pattern: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    routes.push({ methods: [method].flat(), pattern: patternOf(url) });
  });
  return {
    allowed: (path) => {
      const found = routes.filter(({ pattern }) => pattern.test(path));
      const methods = new Set(found.flatMap((route) => route.methods));
      return METHODS.filter((method) => methods.has(method));
    },
  };
}

/** A parameter stands for one segment or a part of it, never for nothing. */
function patternOf(url: string): RegExp {
  const parts = url.split(/(:\w+(?:\([^)]*\))?|\*)/);
  const source = parts.map((part) => {
    if (part === '*') return '.*';
    return part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`);
}
