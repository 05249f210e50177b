import { Controller, Get, Header, Inject, Query, Req, UseGuards } from '@nestjs/common';
import { CsrfService, CurrentSession, SessionAuthGuard } from 'nestjs-session-auth';

const PROBLEMS = new Map([
  ['invalid_credentials', 'Name or password is wrong.'],
  ['too_many_attempts', 'Too many attempts. Wait a while.'],
]);

@Controller()
export class LoginController {
  constructor(@Inject(CsrfService) private readonly csrf: CsrfService) {}

  @Get('login')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('referrer-policy', 'same-origin')
  form(@Req() request: object, @Query('error') error?: string): string {
    // a fixed text for a known code, because anybody can write the address
    const problem = error === undefined ? '' : (PROBLEMS.get(error) ?? 'That did not work. Try again.');
    return `
      <p role="alert">${problem}</p>
      <form method="post" action="/auth/login">
        ${this.csrf.formField(request)}
        <label>Name <input name="username" autocomplete="username" required></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
        <label><input name="rememberMe" type="checkbox"> Stay signed in</label>
        <button>Sign in</button>
      </form>`;
  }

  @Get('account')
  @UseGuards(SessionAuthGuard)
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('referrer-policy', 'same-origin')
  account(@Req() request: object, @CurrentSession('id') id: string): string {
    return `
      <p>Session ${id}</p>
      <form method="post" action="/auth/logout">
        ${this.csrf.formField(request)}
        <button>Sign out</button>
      </form>`;
  }
}
