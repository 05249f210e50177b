import { Body, Controller, Get, Header, Inject, Post, Req, UseGuards } from '@nestjs/common';
import { CsrfProtected, CsrfService, SessionAuthGuard } from 'nestjs-session-auth';

@Controller('transfer')
@UseGuards(SessionAuthGuard)
export class TransferController {
  constructor(@Inject(CsrfService) private readonly csrf: CsrfService) {}

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('referrer-policy', 'same-origin')
  form(@Req() request: object): string {
    return `
      <form method="post" action="/transfer">
        ${this.csrf.formField(request)}
        <label>Amount <input name="amount"></label>
        <button>Send</button>
      </form>`;
  }

  @Post()
  @CsrfProtected()
  send(@Body('amount') amount: string): string {
    return `${Number(amount)} sent`;
  }
}
