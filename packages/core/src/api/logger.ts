/** The logger port: pino's shape, the object first. */
import { QuorateError } from '../errors.ts';

export interface Logger {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export type LogLevel = keyof Logger;

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export function checkLogger(logger: Logger | undefined): Logger | undefined {
  if (logger === undefined) return undefined;
  const missing = levels.find((level) => typeof logger?.[level] !== 'function');
  if (missing === undefined) return logger;
  throw new QuorateError('INVALID_OPTIONS', `\`logger\` has no method \`${missing}\`.`);
}
