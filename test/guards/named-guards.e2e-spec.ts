import { afterEach, describe, expect, it } from '@jest/globals';
import { applyDecorators, Controller, Get, Injectable, Post, UseGuards } from '@nestjs/common';
import { CsrfExempt, CsrfGuard, CsrfProtected, Public, SessionAuthGuard } from 'nestjs-session-auth';
import { SERVERS } from '../support/bank.js';
import { closeApps, forRoot, start, UsersModule } from '../support/door-app.js';

@Injectable()
class StricterGuard extends SessionAuthGuard {}

const SignedIn = (): MethodDecorator => applyDecorators(UseGuards(SessionAuthGuard));

@Public()
@Controller('open')
class OpenController {
  @Get('plain')
  plain(): object {
    return {};
  }

  @UseGuards(SessionAuthGuard)
  @Get('named')
  named(): object {
    return {};
  }

  @UseGuards(StricterGuard)
  @Get('extended')
  extended(): object {
    return {};
  }

  @SignedIn()
  @Get('composed')
  composed(): object {
    return {};
  }

  @Public()
  @UseGuards(SessionAuthGuard)
  @Get('both')
  both(): object {
    return {};
  }
}

@UseGuards(SessionAuthGuard)
@Controller('shut')
class ShutController {
  @Get('plain')
  plain(): object {
    return {};
  }

  @Public()
  @Get('open')
  open(): object {
    return {};
  }
}

@CsrfExempt()
@Controller('exempt')
class ExemptController {
  @Post('plain')
  plain(): object {
    return {};
  }

  @UseGuards(CsrfGuard)
  @Post('named')
  named(): object {
    return {};
  }

  @CsrfProtected()
  @Post('decorated')
  decorated(): object {
    return {};
  }
}

afterEach(closeApps);

describe.each(SERVERS)('a guard that a handler names on %s', (adapter) => {
  const open = (global: boolean): ReturnType<typeof start> =>
    start(forRoot({ global, csrf: { global }, imports: [UsersModule] }), {
      adapter,
      module: { controllers: [OpenController, ShutController, ExemptController] },
    });

  it.each([true, false])('requires a session even if the class is @Public(), global: %p', async (global) => {
    const client = await open(global);
    const statusOf = async (path: string): Promise<number> => (await client.get(path)).status;
    for (const path of ['/open/plain', '/shut/open']) expect([path, await statusOf(path)]).toEqual([path, 200]);
    const shut = ['/open/named', '/open/extended', '/open/composed', '/open/both', '/shut/plain'];
    for (const path of shut) expect([path, await statusOf(path)]).toEqual([path, 401]);
    await client.get('/enter');
    for (const path of shut) expect([path, await statusOf(path)]).toEqual([path, 200]);
  });

  it.each([true, false])(
    'requires a CSRF token even if the class has the decorator @CsrfExempt(), global: %p',
    async (global) => {
      const client = await open(global);
      await client.get('/enter');
      const statusOf = async (path: string): Promise<number> => (await client.post(path, {}, { csrf: false })).status;
      expect(await statusOf('/exempt/plain')).toBe(201);
      for (const path of ['/exempt/named', '/exempt/decorated'])
        expect([path, await statusOf(path)]).toEqual([path, 403]);
    },
  );
});
