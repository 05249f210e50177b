import { Controller, Get, Inject, UseGuards } from '@nestjs/common';
import { Realm, SessionAuthGuard } from 'nestjs-session-auth';
import { CustomersService, type Customer } from './customers.service.js';
import { OFFICE } from './office-realm.js';

/** The back office in JSON. */
@Realm(OFFICE)
@Controller('office/api')
@UseGuards(SessionAuthGuard)
export class OfficeApiController {
  constructor(@Inject(CustomersService) private readonly customers: CustomersService) {}

  @Get('customers')
  allCustomers(): Promise<Customer[]> {
    return this.customers.all();
  }
}
