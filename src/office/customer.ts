import { ApiProperty } from '@nestjs/swagger';

/** A customer as the staff may see one: without anything that signs them in. */
export class Customer {
  @ApiProperty()
  readonly id!: string;
  @ApiProperty()
  readonly name!: string;
  @ApiProperty()
  readonly email!: string;
  @ApiProperty()
  readonly disabled!: boolean;
  @ApiProperty({ type: 'integer', description: 'On how many devices they are signed in.' })
  readonly sessions!: number;
}
