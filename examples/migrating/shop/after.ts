import { Body, Controller, Get, Module, Post, Redirect, Req, type MiddlewareConsumer } from '@nestjs/common';
import flash from 'connect-flash';
import type { Request } from 'express';
import { CsrfProtected, SessionAuthError, SessionAuthService } from 'nestjs-session-auth';
import { PassportCompatModule, SessionPassport } from 'nestjs-session-auth/passport';
import { visitLog } from '../../passport/visit-log.js';
import { UsersModule } from '../../quick-start/users.module.js';
import { AccountController, sessions } from './beside.js';
import { CartController } from './cart.controller.js';

/** Step 3: strategies of passport are no longer used; connect-flash still shows its message. */
@Controller()
export class LoginController {
  constructor(private readonly auth: SessionAuthService) {}

  @Get('login')
  form(@Req() request: Request): object {
    return { messages: request.flash('error') };
  }

  @CsrfProtected()
  @Post('login')
  @Redirect()
  async login(@Req() request: Request, @Body() body: { email: string; password: string }): Promise<{ url: string }> {
    try {
      await this.auth.login(request, body);
      return { url: '/cart' };
    } catch (error) {
      if (!(error instanceof SessionAuthError) || error.code !== 'invalid_credentials') throw error;
      request.flash('error', 'Wrong e-mail or password');
      return { url: '/login' };
    }
  }

  @CsrfProtected()
  @Post('logout')
  @Redirect('/login')
  async logout(@Req() request: Request): Promise<void> {
    await this.auth.logout(request);
  }
}

@Module({
  imports: [UsersModule, sessions, PassportCompatModule.register({ requestUser: 'user' })],
  controllers: [LoginController, CartController, AccountController],
})
export class ShopModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(SessionPassport, flash()).forRoutes('login');
    consumer.apply(SessionPassport, visitLog).forRoutes('cart');
  }
}
