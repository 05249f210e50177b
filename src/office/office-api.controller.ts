import { Controller, Get, Inject, UseGuards } from '@nestjs/common';
import { ApiCookieAuth, ApiTags } from '@nestjs/swagger';
import { Realm, SessionAuthGuard } from 'nestjs-session-auth';
import { ApiAnswers } from '../api-answers.decorator.js';
import { Customer } from './customer.js';
import { CustomersService } from './customers.service.js';
import { OFFICE } from './office-realm.js';

/** The back office in JSON. */
@ApiTags('Back office')
@ApiCookieAuth('office-cookie')
@Realm(OFFICE)
@Controller('office/api')
@UseGuards(SessionAuthGuard)
export class OfficeApiController {
  constructor(@Inject(CustomersService) private readonly customers: CustomersService) {}

  @ApiAnswers('The customers of the bank', { status: 200, type: [Customer] }, 'session_required')
  @Get('customers')
  allCustomers(): Promise<Customer[]> {
    return this.customers.all();
  }
}
