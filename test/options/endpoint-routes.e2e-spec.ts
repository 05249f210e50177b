import { afterEach, describe, expect, it } from '@jest/globals';
import {
  All,
  Controller,
  Delete,
  Get,
  Module,
  Post,
  Version,
  VersioningType,
  type DynamicModule,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { SessionAuthModule, type EndpointsOptions } from 'nestjs-session-auth';
import { SERVERS } from '../support/bank.js';
import { closeApps, forRoot, options, start, Users, UsersModule } from '../support/door-app.js';
import type { BankClient } from '../support/bank-client.js';

afterEach(closeApps);

const users = { useClass: Users };
const LOGIN = { email: 'alice@example.com', password: 'x' };

@Controller()
class OwnLogin {
  @Post('auth/login')
  enter(): object {
    return { by: 'the application' };
  }
}

@Controller('auth')
class OwnAuth {
  @Post('login')
  enter(): object {
    return { by: 'the application' };
  }
}

@Controller()
class Inherited extends OwnLogin {}

@Controller('AUTH')
class Capitals extends OwnAuth {}

@Controller()
class Slashes {
  @Post('auth//login')
  enter(): void {}
}

/** Left out by Nest, with a warning or an error of its own. */
class NoController {
  enter(): void {}
}

@Controller({ host: 'office.example.com', path: 'auth' })
class OfHost {
  @Post('login')
  enter(): object {
    return { by: 'the host' };
  }
}

@Controller()
class OwnVerbs {
  @All('auth/csrf')
  any(): void {}
}

@Controller(['door', 'auth'])
class Several {
  @Post(['enter', 'login'])
  enter(): void {}
}

@Controller('auth/sessions')
class OwnRevoke {
  @Delete(':name')
  revoke(): void {}
}

@Controller()
class BesidePrefix {
  @Post('api/auth/login')
  enter(): void {}
}

@Controller('auth')
class Versioned {
  @Version('1')
  @Post('login')
  enter(): object {
    return { by: 'version 1' };
  }
}

@Controller()
class LoginOfModule {
  @Post('login')
  enter(): void {}
}

@Module({ controllers: [LoginOfModule] })
class Below {}

@Controller('auth')
class Neighbours {
  @Get('login')
  page(): object {
    return { by: 'another verb' };
  }

  @Get(':page')
  any(): object {
    return { by: 'a parameter' };
  }

  @Post('login/again')
  again(): void {}
}

@Module({ controllers: [Neighbours] })
class Beside {}

describe.each(SERVERS)('a route of the application on %s', (adapter) => {
  const boot = (
    controllers: Type[],
    configure?: (app: INestApplication) => void,
    sessions = forRoot({ users }),
    imports: (Type | DynamicModule)[] = [],
  ): Promise<BankClient> => start(sessions, { adapter, module: { controllers, imports }, configure });

  const prefixed = (app: INestApplication): unknown => app.setGlobalPrefix('api');
  const excluding = (app: INestApplication): unknown => app.setGlobalPrefix('api', { exclude: ['api/auth/login'] });
  const byHeader = (app: INestApplication): unknown =>
    app.enableVersioning({ type: VersioningType.HEADER, header: 'version' });
  const byPath = (app: INestApplication): unknown => app.enableVersioning({ type: VersioningType.URI });
  const at = (path: string): DynamicModule => forRoot({ users, endpoints: { path } });
  const below = [Below, RouterModule.register([{ path: 'auth', module: Below }])];

  it.each<[string, () => Promise<unknown>, string]>([
    ['', () => boot([OwnLogin]), 'POST /auth/login is also mapped by OwnLogin.enter'],
    ['that is inherited', () => boot([Inherited]), 'POST /auth/login is also mapped by Inherited.enter'],
    ['with a slash more', () => boot([Slashes]), 'POST /auth//login is also mapped by Slashes.enter'],
    ['in capitals', () => boot([Capitals]), 'POST /AUTH/login is also mapped by Capitals.enter'],
    ['for every verb', () => boot([OwnVerbs]), 'GET /auth/csrf is also mapped by OwnVerbs.any'],
    ['of several paths', () => boot([Several]), 'POST /auth/login is also mapped by Several.enter'],
    [
      'with a parameter in the same place',
      () => boot([OwnRevoke]),
      'DELETE /auth/sessions/:name is also mapped by OwnRevoke.revoke',
    ],
    ['under a prefix', () => boot([OwnLogin], prefixed), 'POST /api/auth/login is also mapped by OwnLogin.enter'],
    [
      'that is excluded from the prefix',
      () => boot([BesidePrefix], excluding),
      'POST /api/auth/login is also mapped by BesidePrefix.enter',
    ],
    [
      'at the path of its module',
      () => boot([], undefined, undefined, below),
      'POST /auth/login is also mapped by LoginOfModule.enter',
    ],
    [
      'of a version in the path',
      () => boot([Versioned], byPath, at('v1/auth')),
      'POST /v1/auth/login is also mapped by Versioned.enter',
    ],
    [
      'of a version in a header',
      () => boot([Versioned], byHeader),
      'POST /auth/login is also mapped by Versioned.enter',
    ],
  ])('%s that is mapped by an endpoint as well does not boot', async (_, boots, message) => {
    await expect(boots()).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining(`SessionAuthModule of realm 'default': endpoints.except: ${message};`),
    });
  });

  it('does not boot either where its module comes first', async () => {
    @Module({ imports: [Below, RouterModule.register([{ path: 'auth', module: Below }])] })
    class First {}
    const root: DynamicModule = { module: First, imports: [forRoot({ users })] };
    await expect(start(root, { adapter })).rejects.toMatchObject({ code: 'invalid_configuration' });
  });

  it('names the endpoint and the realm in the error', async () => {
    const staff = forRoot({ realm: 'staff', users, endpoints: { path: 'auth' } });
    await expect(boot([OwnRevoke], undefined, staff, [forRoot()])).rejects.toThrow(
      "realm 'staff': endpoints.except: DELETE /auth/sessions/:name is also mapped by OwnRevoke.revoke; allowed is " +
        "another endpoints.path, or endpoints.except: ['revoke'], which leaves this route to OwnRevoke.revoke",
    );
  });

  it('boots beside the endpoints at another verb, path or version, and with a parameter', async () => {
    // on Express the first one that matches takes a request: the module of the endpoints is before this one
    const client = await boot([], undefined, undefined, [Beside]);
    expect((await client.get('/auth/csrf')).json).toHaveProperty('csrfToken');
    expect((await client.get('/auth/login')).json).toEqual({ by: 'another verb' });
    expect((await client.get('/auth/anything')).json).toEqual({ by: 'a parameter' });
    const versioned = await boot([Versioned], byPath);
    expect((await versioned.post('/v1/auth/login', {}, { csrf: false })).json).toEqual({ by: 'version 1' });
    expect((await versioned.post('/auth/login', LOGIN, { csrf: false })).status).toBe(403);
  });

  it('says nothing of a class that is no controller', async () => {
    await expect(boot([NoController])).rejects.not.toThrow(TypeError);
  });

  it.each<[string, (endpoints: EndpointsOptions) => DynamicModule]>([
    ['forRoot', (endpoints) => forRoot({ users, endpoints })],
    ['forRootAsync', (endpoints) => SessionAuthModule.forRootAsync({ users, endpoints, useFactory: () => options() })],
  ])('takes the place of an endpoint that endpoints.except of %s names', async (_, sessions) => {
    const client = await boot([OwnLogin], undefined, sessions({ except: ['login', 'revokeAll'] }));
    expect((await client.post('/auth/login', LOGIN, { csrf: false })).json).toEqual({ by: 'the application' });
    expect((await client.ask('DELETE', '/auth/sessions', { csrf: false })).status).toBe(404);
    expect((await client.ask('DELETE', '/auth/sessions/x', { csrf: false })).status).toBe(401);
    expect((await client.get('/auth/sessions')).status).toBe(401);
    await client.get('/enter');
    expect((await client.get('/auth/session')).json).toMatchObject({ userId: 'alice' });
    expect((await client.post('/auth/logout')).status).toBe(204);
  });

  it('does not replace an endpoint of another realm', async () => {
    const staff = { realm: 'staff', users, endpoints: { except: ['login'] as const } };
    const client = await boot([], undefined, forRoot({ users }), [forRoot(staff), UsersModule]);
    expect((await client.post('/staff/auth/login', LOGIN, { csrf: false })).status).toBe(404);
    expect((await client.post('/auth/login', LOGIN, { csrf: false })).status).toBe(403);
  });

  it.each(['AUTH', ':realm/auth'])('of one realm is none of another, which is at %s', async (path) => {
    const [one, other] = path === 'AUTH' ? ['auth', path] : [':shop/auth', path];
    const staff = forRoot({ realm: 'staff', users, endpoints: { path: other } });
    await expect(boot([], undefined, forRoot({ users, endpoints: { path: one } }), [staff])).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringMatching(/realm '\w+': endpoints\.except: GET .+csrf is also mapped by realm '\w+'/),
    });
  });
});

describe('a route of a host of its own, on Express', () => {
  it('boots beside the endpoint of its verb and path', async () => {
    const client = await start(forRoot({ users }), { adapter: 'express', module: { controllers: [OfHost] } });
    expect((await client.post('/auth/login', LOGIN, { csrf: false })).status).toBe(403);
  });
});

describe('endpoints.except', () => {
  it.each([
    ['sign-in', "'sign-in'"],
    [['sign-in'], '["sign-in"]'],
    [['login', 'login'], '["login", "login"]'],
    [['login', 7], '["login", 7]'],
    [{ login: true }, 'an object'],
    [true, 'true'],
  ])('may not be %j', (except, given) => {
    expect(() => forRoot({ users, endpoints: { except: except as never } })).toThrow(
      expect.objectContaining({
        code: 'invalid_configuration',
        message:
          `SessionAuthModule: endpoints.except: given ${given}; allowed is an array of different names: 'csrfToken', 'login', ` +
          "'logout', 'session', 'sessions', 'revoke', 'revokeAll', 'reauthenticate'",
      }),
    );
  });
});
