/** What a service that uses Quorate has anyway: its instance. */
import { soloQuorate } from '@quorate/core';

export const quorate = soloQuorate();
