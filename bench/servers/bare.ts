import { Controller, Get, HttpCode, Module, Post, type INestApplication } from '@nestjs/common';
import { createApp } from './nest-app.ts';
import type { ServerSpec } from './server-spec.ts';

@Controller()
class BareController {
  @Get('me')
  me(): object {
    return { userId: 'user0' };
  }

  @Post('act')
  @HttpCode(200)
  act(): object {
    return { userId: 'user0' };
  }
}

@Module({ controllers: [BareController] })
class BareModule {}

/** The route that all the others add something to. */
export function open({ adapter }: ServerSpec): Promise<INestApplication> {
  return createApp(BareModule, adapter);
}
